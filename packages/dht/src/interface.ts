import type { PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { DHTRecord, Found, Key, Rejection, SigningKey, Subkey, Value } from '@waggle/record'
import type { Lifetime } from '@waggle/record/replica'
import type { PersistenceStats } from './persistence/interface.ts'

/** What every call takes. */
export interface CallOptions {
  /** Ends the call, which then rejects with the signal's reason. */
  signal?: AbortSignal | undefined

  /**
   * Milliseconds after which the call rejects with `TimeoutError`.
   *
   * @default DEFAULT_CALL_TIMEOUT_MS
   */
  timeoutMs?: number | undefined
}

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

/** The operations that a node with `waggle()` offers, and that `DHT` passes on. */
export interface WaggleOperations {
  /**
   * Stores a value until it expires at the nearest `numReplicas` peers. True if at least one
   * replica accepted it and none that answered holds something that beats it; false, too, if it
   * has expired already.
   *
   * @throws TypeError, InvalidKeyError, InvalidExpirationError or RecordTooLargeError for what can't be stored
   * @throws ValidationError when the place belongs to another peer (R15), or a validator of this node refuses it
   * @throws TimeoutError
   */
  store(key: Key, value: Value, options: StoreOptions): Promise<boolean>

  /**
   * Reads what is stored under a key: a value, or a dictionary as a Map from subkey to
   * `{ value, expirationTime }`. Undefined if nothing live is there.
   *
   * @throws TypeError or InvalidKeyError for what can't be a key
   * @throws UnreachableError when no peer answered, so that nobody can say
   * @throws TimeoutError
   */
  get(key: Key, options?: GetOptions): Promise<Found | undefined>

  /**
   * Deletes a key or a subkey: stores a tombstone, which wins and loses by its expiration as any
   * write does. Give it a later expiration than that of what it deletes.
   */
  delete(key: Key, options: DeleteOptions): Promise<boolean>

  /**
   * Lets what was stored with `republish` expire. False if nothing is republished in this place.
   *
   * @throws TypeError or InvalidKeyError for what can't be a key
   */
  stopRepublishing(key: Key, options?: PlaceOptions): boolean

  /** Stores many entries; answers in their order. Checks all of them before it stores any. */
  storeMany(entries: Iterable<StoreEntry>, options?: StoreManyOptions): Promise<boolean[]>

  /** Reads many keys; answers in their order. */
  getMany(keys: Iterable<Key>, options?: GetManyOptions): Promise<(Found | undefined)[]>

  /**
   * Delivers what is stored under a key, as `get` would return it, if anything is, and then each change
   * at once: another value, a subkey more or less, a later expiration; undefined when the last of it has
   * expired or been deleted. Begins with the first question for a value. Who is slower than the changes
   * gets what is there when they ask again, and never an older value after a newer one. Leaving the loop
   * ends it; when the signal is aborted it throws the signal's reason, when the node stops `AbortError`.
   *
   * @throws TypeError or InvalidKeyError for what can't be a key
   */
  watch(key: Key, options?: WatchOptions): AsyncIterableIterator<Found | undefined>

  /** The peers that are nearest to a key and answered, nearest first; this node is left out. */
  findNearestPeers(key: Key, options?: FindNearestPeersOptions): Promise<PeerId[]>
}

/** A peer, with the addresses that we were told, if any. */
export interface Contact {
  readonly id: PeerId
  readonly multiaddrs: readonly Multiaddr[]
}

/** What one peer answers when asked for a key. */
export interface FindReply {
  /** What it holds, checked against every rule. */
  readonly record?: DHTRecord | undefined

  /** Peers it knows to be near the key. */
  readonly closer: readonly Contact[]
}

/** What a replica made of a write; `refused`: a rule of its own, such as a validator, does not accept it. */
export type StoreOutcome = 'accepted' | Rejection | 'refused'

/**
 * Who waits for something, and whether they still do. What an `AbortSignal` is for; but there is one
 * of these for each request, and nobody needs to be told, only to ask.
 */
export interface Wanted {
  readonly isWanted: boolean
}

/** How `RecordChannel.find` is told what to answer. */
export interface FindOptions {
  /** A question that nobody wants an answer to need not be sent. */
  readonly request?: Wanted | undefined

  /** How many peers near the key are wanted. */
  readonly closerCount: number

  /** Whether they are wanted, too, where a record is held. */
  readonly isCloserAlways: boolean
}

/** How `RecordChannel.store` is told what to answer. */
export interface WriteOptions {
  /** A copy, to be remembered as long as there is room, and not a replica. */
  readonly isCopy?: boolean

  /** A write that nobody waits for any more need not be sent. */
  readonly request?: Wanted | undefined

  /** How many peers near the key are wanted. */
  readonly closerCount: number
}

/** What one peer answers when asked to hold a write. */
export interface StoreReply {
  readonly outcome: StoreOutcome

  /** Peers it knows to be near the key. */
  readonly closer: readonly Contact[]
}

/**
 * How records travel between this node and one other. All that the rest of the library knows of
 * the wire. Both calls reject when the peer gave no usable answer.
 */
export interface RecordChannel {
  /** Asks what the peer holds under a record key, and whom it knows near to it. */
  find(peer: Contact, key: Uint8Array, options: FindOptions): Promise<FindReply>

  /** Asks the peer to hold a write, and whom it knows near to its key. */
  store(
    peer: Contact,
    key: Uint8Array,
    write: DHTRecord,
    options: WriteOptions
  ): Promise<StoreReply>

  /** Whether the peer can be asked without connecting first. */
  isReady(peer: Contact): boolean
}

/** Where a search for a key begins. */
export interface Routing {
  /** The known peers that are nearest to the point `target` of the key space. */
  nearest(target: Uint8Array, count: number): Contact[]
}

/** What there is to see of a node. */
export interface Stats {
  /** Records held for others. */
  readonly records: number

  /** Bytes they take, encoded. */
  readonly bytes: number

  /** Peers connected to. */
  readonly peers: number

  /** Records remembered that are held for nobody. */
  readonly cachedRecords: number

  /** Bytes that these take, encoded. */
  readonly cachedBytes: number

  /** Reads that the cache has answered. */
  readonly cacheHits: number

  /** Keys that are watched in this node. */
  readonly watchedKeys: number

  /** Keys that this node watches for others, each counted once for each of them. */
  readonly watchedForOthers: number

  /** Entries that this node keeps alive, having stored them with `republish`. */
  readonly republished: number

  /** Servers of the network that are known, connected or in the routing table: searches begin with them. */
  readonly knownPeers: number

  /**
   * Milliseconds by which the clocks of the peers that this node has joined are ahead of its own,
   * in the median; negative if they are behind, undefined if no peer has told its time yet.
   */
  readonly clockSkewMs: number | undefined

  /** What is kept on disk; undefined when everything is in memory only. */
  readonly persistence: PersistenceStats | undefined
}
