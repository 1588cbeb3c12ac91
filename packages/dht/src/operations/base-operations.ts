import type { PeerId } from '@libp2p/interface'
import type { Found, Key, Subkey, Value } from '@waggle/record'
import type { StateSource } from '../live/state.ts'
import type { Watch, WatchOptions } from '../live/watch.ts'
import type { WaggleOperations } from './waggle-operations.ts'

/** Operations, and what typed handles and sealed views need besides. */
export interface BaseOperations extends WaggleOperations {
  /** This node, which owns what it signs without another key. */
  readonly peerId: PeerId

  /** The name of the network, for which owners sign and secrets seal. */
  readonly network: string

  /** Returns the states of a key, for a watch of them or of what is made of them. */
  states(key: Key): StateSource<Found | undefined, Subkey | undefined, Value>

  /** Returns the states of one subkey. */
  entryStates(key: Key, subkey: Subkey): StateSource<Found<Value> | undefined, Subkey, Value>

  /** Watches states until this DHT stops. */
  watchStates<T, K, V, R extends boolean>(
    source: StateSource<T, K, V>,
    options: WatchOptions<R> | undefined
  ): Watch<T, K, V, R>

  /** Stops what this DHT publishes, with the goodbyes that were asked for, before it stops itself. */
  close(): Promise<void>

  /** Counts what was found and left out, because it fits no schema or does not open. */
  countMisfit(): void
}
