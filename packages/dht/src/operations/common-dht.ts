import type { PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Key, Lifetime, OptionalLifetime, Value } from '@waggle/record'
import type { CallOptions } from '../timing/calls.ts'

/** Keys that name the same place in every network: all but null and arrays. */
export type CommonKey = Exclude<Key, null | readonly Key[]>

/** The options of `store`: the place, the lifetime, and those of every call. */
export type CommonStoreOptions<K> = CallOptions & CommonPlaceOptions<K> & Lifetime

/** A place under a key. */
export interface CommonPlaceOptions<K> {
  /** Stores into the dictionary under the key, in this place. */
  subkey?: K | undefined
}

/** The options of `get`: which answer is good enough. */
export interface CommonGetOptions extends CallOptions {
  /** Asks all nearest replicas and merges their records. */
  latest?: boolean | undefined

  /** DHT time, seconds: an answer that expires earlier is not good enough while there may be a later one. */
  sufficientExpirationTime?: number | undefined
}

/** One of the writes of `storeMany`. */
export type CommonStoreEntry<K, V> = { key: K; value: V } & CommonPlaceOptions<K> & OptionalLifetime

/** A live value with the moment until which it is true. */
export interface CommonFound<F> {
  readonly value: F
  readonly expirationTime: number
}

/**
 * The interface that a Waggle DHT and `HivemindDHT` of `@waggle/hivemind` share, for applications that
 * work with either. `K` and `V` are the keys and values that the application uses.
 */
export interface CommonDHT<K = CommonKey, V = Value, F = unknown> extends AsyncDisposable {
  readonly peerId: PeerId
  readonly multiaddrs: Multiaddr[]
  readonly clientMode: boolean

  /** The peers that this node is connected to. */
  readonly peers: PeerId[]

  /** Stores a value until it expires. True if a replica took it, and nothing there beats it. */
  store(key: K, value: V, options: CommonStoreOptions<K>): Promise<boolean>

  /** Reads a value, or a dictionary as a Map from subkey to `{ value, expirationTime }`. */
  get(key: K, options?: CommonGetOptions): Promise<CommonFound<F> | undefined>

  /** Stores many entries; answers in their order. */
  storeMany(
    entries: Iterable<CommonStoreEntry<K, V>>,
    options?: CallOptions & OptionalLifetime
  ): Promise<boolean[]>

  /** Reads many keys; answers in their order. */
  getMany(keys: Iterable<K>, options?: CommonGetOptions): Promise<(CommonFound<F> | undefined)[]>

  /** The peers nearest to a key that answered, nearest first, without this node. */
  findNearestPeers(
    key: K,
    options?: CallOptions & { count?: number | undefined }
  ): Promise<PeerId[]>

  /** Leaves the network. */
  stop(): Promise<void>
}
