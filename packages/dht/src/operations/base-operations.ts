import type { PeerId } from '@libp2p/interface'
import type { Found, Key, Subkey, Value } from '@waggle/record'
import type { StateSource } from '../live/state.ts'
import type { Watch, WatchOptions } from '../live/watch.ts'
import type { GetOptions, PlaceOptions, StoreOptions } from './call-options.ts'
import type { Publication, PublishOptions } from './publication.ts'
import type { Report, Result } from './store-report.ts'
import type { WaggleOperations } from './waggle-operations.ts'

/**
 * The operations of a DHT or of a sealed view without the overloads that callers see, and what handles and views need
 * besides.
 */
export interface BaseOperations
  extends Omit<WaggleOperations, 'store' | 'publish' | 'get' | 'watch'> {
  store<R extends boolean = false>(
    key: Key,
    value: unknown,
    options: StoreOptions & Report<R>
  ): Promise<Result<R>>
  publish(key: Key, value: unknown, options: PublishOptions): Publication

  /** Reads a key; with a subkey, `F` is its one entry. */
  get<F extends Found = Found>(
    key: Key,
    options?: GetOptions & PlaceOptions
  ): Promise<F | undefined>

  /** This node, the default owner of signed places. */
  readonly peerId: PeerId

  /** The name of the network, for which owners sign and secrets seal. */
  readonly network: string

  /** Returns the states of a key, for a watch, or for states derived from them. */
  states(key: Key): StateSource<Found | undefined, Subkey | undefined, Value>

  /** Returns the states of one subkey. */
  entryStates(key: Key, subkey: Subkey): StateSource<Found<Value> | undefined, Subkey, Value>

  /** Watches states until this DHT stops. */
  watchStates<T, K, V, R extends boolean>(
    source: StateSource<T, K, V>,
    options: WatchOptions<R> | undefined
  ): Watch<T, K, V, R>

  /** Stops the publications of this DHT, and says their goodbyes, before it stops itself. */
  close(): Promise<void>

  /** Counts a value that was left out, because it fits no schema or does not open. */
  countMisfit(): void
}
