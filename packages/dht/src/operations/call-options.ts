import type { Found, Key, SigningKey, Subkey, Value } from '@waggle/record'
import type { Lifetime } from '@waggle/record/replica'
import type { CallOptions } from '../timing/calls.ts'

/** Signs writes to an owned place (R15). */
export interface SigningOptions {
  /** Private key of the owner, where key or subkey holds the `ownerTag` of another peer than this node. */
  privateKey?: SigningKey | undefined
}

/** Options of `store`: `expirationTime` or `ttl`, and perhaps a `subkey`. */
export interface StoreOptions extends CallOptions, Lifetime, SigningOptions {
  /** Subkey of the dictionary under the key. */
  subkey?: Subkey | undefined

  /**
   * Whether this node stores the value again for as long as it runs: when half of the time has
   * passed, and at least every hour, for peers that have come since. A value with a `ttl` gets the
   * whole `ttl` again; one with an `expirationTime` still ends then, and half of the time left
   * counts. Ends with `stopRepublishing`, with `delete`, or with another `store` in the same place.
   *
   * @default false
   */
  republish?: boolean | undefined
}

/** Options of `stopRepublishing`. */
export interface PlaceOptions {
  /** Subkey of the dictionary; the key itself if left out. */
  subkey?: Subkey | undefined
}

/** Options of `delete`: the lifetime of the tombstone, and perhaps a `subkey`. */
export interface DeleteOptions extends CallOptions, Lifetime, SigningOptions {
  /** Subkey of the dictionary, which is deleted alone. */
  subkey?: Subkey | undefined
}

/** Options of `get`: which answer is good enough. By default the first live one. */
export interface GetOptions extends CallOptions {
  /** Whether to ask all nearest replicas and join their records, instead of taking the first answer. */
  latest?: boolean | undefined

  /** DHT time in seconds. An answer that expires earlier is not good enough while there may be a later one. */
  sufficientExpirationTime?: number | undefined
}

/** One entry of `storeMany`. */
export interface StoreEntry extends Lifetime, SigningOptions {
  key: Key
  value: Value
  subkey?: Subkey | undefined
}

/**
 * Options of `storeMany`: the lifetime of entries that have none of their own. `privateKey` signs in
 * places that it owns, and this node's key in places that it owns.
 */
export interface StoreManyOptions extends CallOptions, Lifetime, SigningOptions {}

/** Options of `getMany`, for all keys. */
export interface GetManyOptions extends GetOptions {
  /** Called with each answer as it arrives. */
  onProgress?: ((event: GetProgressEvent) => void) | undefined
}

/** One answer of `getMany`. `index` is the position of its key. */
export type GetProgressEvent =
  | { name: 'found'; index: number; key: Key; found: Found }
  | { name: 'not-found'; index: number; key: Key }

/** Options of `findNearestPeers`. */
export interface FindNearestPeersOptions extends CallOptions {
  /**
   * Peers to find.
   *
   * @default the DHT's numReplicas
   */
  count?: number | undefined
}
