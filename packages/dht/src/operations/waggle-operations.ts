import type { PeerId } from '@libp2p/interface'
import type { Found, Key, Value } from '@waggle/record'
import type {
  DeleteOptions,
  FindNearestPeersOptions,
  GetManyOptions,
  GetOptions,
  PlaceOptions,
  StoreEntry,
  StoreManyOptions,
  StoreOptions,
  WatchOptions
} from './call-options.ts'

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
