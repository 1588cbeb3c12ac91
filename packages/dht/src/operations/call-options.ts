import type { Found, Key, SigningKey, Subkey, Value } from '@waggle/record'
import type { Lifetime } from '@waggle/record/replica'
import type { CallOptions } from '../timing/calls.ts'

/** Who signs what is written to an owned place (R15). */
export interface SigningOptions {
  /** The owner's key, where key or subkey holds the `ownerTag` of another peer than this node. */
  privateKey?: SigningKey | undefined
}

/** How `store` is told where and until when: `expirationTime` or `ttl`, and perhaps a `subkey`. */
export interface StoreOptions extends CallOptions, Lifetime, SigningOptions {
  /** Stores into the dictionary under the key, in this place. */
  subkey?: Subkey | undefined

  /**
   * Keeps it alive for as long as this node runs: it is stored again when half of its time has
   * passed, and at least every hour, for peers that have come since. What has a `ttl` has the whole
   * `ttl` ahead again; what has an `expirationTime` still ends then, so half of what is left counts.
   * Ends with `stopRepublishing`, with `delete`, or with another `store` in the same place.
   *
   * @default false
   */
  republish?: boolean | undefined
}

/** Which place `stopRepublishing` is about. */
export interface PlaceOptions {
  /** A place of the dictionary; the key itself, if it is left out. */
  subkey?: Subkey | undefined
}

/** How `delete` is told what, and until when the tombstone lasts. */
export interface DeleteOptions extends CallOptions, Lifetime, SigningOptions {
  /** Deletes this place of the dictionary only. */
  subkey?: Subkey | undefined
}

/** How `get` is told what answer is good enough; by default the first live one. */
export interface GetOptions extends CallOptions {
  /** Asks all nearest replicas and joins what they hold, instead of taking the first answer. */
  latest?: boolean | undefined

  /** DHT time, seconds: an answer that expires earlier is not good enough while there may be a later one. */
  sufficientExpirationTime?: number | undefined
}

/** One of the writes of `storeMany`. */
export interface StoreEntry extends Lifetime, SigningOptions {
  key: Key
  value: Value
  subkey?: Subkey | undefined
}

/**
 * The lifetime of the entries that bring none of their own. `privateKey` signs where it is the
 * owner's, and this node's own key where that is.
 */
export interface StoreManyOptions extends CallOptions, Lifetime, SigningOptions {}

/** As {@link GetOptions}, for all keys. */
export interface GetManyOptions extends GetOptions {
  /** Hears of each answer as it comes. */
  onProgress?: ((event: GetProgressEvent) => void) | undefined
}

/** One answer of `getMany`; `index` is the place of its key among those asked for. */
export type GetProgressEvent =
  | { name: 'found'; index: number; key: Key; found: Found }
  | { name: 'not-found'; index: number; key: Key }

/** How `findNearestPeers` is told how many. */
export interface FindNearestPeersOptions extends CallOptions {
  /** @default the DHT's numReplicas */
  count?: number | undefined
}

/** How `watch` is told when to end. */
export interface WatchOptions {
  /** Ends the loop, which then rejects with the signal's reason. */
  signal?: AbortSignal | undefined
}
