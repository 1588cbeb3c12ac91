import type {
  Found,
  Key,
  Lifetime,
  OptionalLifetime,
  SigningKey,
  Subkey,
  Value
} from '@waggle/record'
import type { CallOptions } from '../timing/calls.ts'

/** Signs writes to an owned place (R15). */
export interface SigningOptions {
  /** Private key of the owner, where key or subkey holds the `ownerTag` of another peer than this node. */
  privateKey?: SigningKey | undefined
}

/** Options of a write. */
export interface WriteOptions extends CallOptions, SigningOptions {
  /**
   * Whether to try again, with growing pauses and whenever a peer connects, until a replica has the write,
   * something beats it, or it has expired. `timeoutMs` then has no default. For clients that may be offline.
   *
   * @default false
   */
  retry?: boolean | undefined
}

/** Options of `store`: `expirationTime` or `ttl`, and perhaps a `subkey`. */
export type StoreOptions = WriteOptions & PlaceOptions & Lifetime

/** A place under a key. */
export interface PlaceOptions {
  /** Subkey of the dictionary; the key itself if left out. */
  subkey?: Subkey | undefined
}

/**
 * Options of `delete`: perhaps a `subkey`, and a lifetime for the tombstone. Without one, the present value is read
 * first, and the tombstone expires a moment later.
 */
export type DeleteOptions = WriteOptions & PlaceOptions & OptionalLifetime

/** Options of `get`: which answer is good enough. By default the first live one. */
export interface GetOptions extends CallOptions {
  /** Whether to ask all nearest replicas and join their records, instead of taking the first answer. */
  latest?: boolean | undefined

  /**
   * Seconds since an answer left its replica, beyond which it is not good enough. 0 asks one replica now,
   * `latest` all of them; `Infinity` takes whatever has not expired.
   *
   * @default cache.maxAge
   */
  maxAge?: number | undefined

  /** DHT time in seconds. An answer that expires earlier is not good enough while there may be a later one. */
  sufficientExpirationTime?: number | undefined
}

/** A key, or a subkey of its dictionary. */
export type KeyOrPlace = Key | { readonly key: Key; readonly subkey: Subkey }

/** One entry of `storeMany`. */
export type StoreEntry = { key: Key; value: Value } & PlaceOptions &
  SigningOptions &
  OptionalLifetime

/**
 * Options of `storeMany`: the lifetime of entries that have none of their own. `privateKey` signs in
 * places that it owns, and this node's key in places that it owns.
 */
export type StoreManyOptions = CallOptions & SigningOptions & OptionalLifetime

/** Options of `getMany`, for all keys. */
export interface GetManyOptions extends GetOptions {
  /** Called with each answer as it arrives. */
  onProgress?: ((event: GetProgressEvent) => void) | undefined
}

/** One answer of `getMany`, or the failure to get one. `index` is the position of its key or place. */
export type GetProgressEvent = { index: number; key: Key; subkey?: Subkey } & (
  | { name: 'found'; found: Found }
  | { name: 'not-found' }
  | { name: 'failed'; error: unknown }
)

/** Options of `findNearestPeers`. */
export interface FindNearestPeersOptions extends CallOptions {
  /**
   * Peers to find.
   *
   * @default the DHT's numReplicas
   */
  count?: number | undefined
}
