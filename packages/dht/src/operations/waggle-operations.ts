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

/** Operations of a node with `waggle()`, which `DHT` offers. */
export interface WaggleOperations {
  /**
   * Stores a value until it expires at the nearest `numReplicas` peers. Resolves with true if at
   * least one replica accepted it and none that answered has something that beats it. Resolves with
   * false otherwise, also if it has expired already.
   *
   * @throws TypeError, InvalidKeyError, InvalidExpirationError or RecordTooLargeError for a value
   * that can't be stored
   * @throws ValidationError when another peer owns the place (R15), or a validator of this node
   * refuses the value
   * @throws TimeoutError
   */
  store(key: Key, value: Value, options: StoreOptions): Promise<boolean>

  /**
   * Reads a key: a value, or a dictionary as a Map from subkey to `{ value, expirationTime }`.
   * Resolves with undefined if nothing live is there.
   *
   * @throws TypeError or InvalidKeyError for a value that can't be a key
   * @throws UnreachableError when no peer answered, so that absence is not known
   * @throws TimeoutError
   */
  get(key: Key, options?: GetOptions): Promise<Found | undefined>

  /**
   * Deletes a key or a subkey by storing a tombstone, which wins and loses by its expiration as any
   * write does. It needs a later expiration than the value that it deletes.
   */
  delete(key: Key, options: DeleteOptions): Promise<boolean>

  /**
   * Lets a value stored with `republish` expire. Returns false if nothing is republished in this
   * place.
   *
   * @throws TypeError or InvalidKeyError for a value that can't be a key
   */
  stopRepublishing(key: Key, options?: PlaceOptions): boolean

  /** Stores many entries. The results have the order of the entries. Checks all of them before it stores any. */
  storeMany(entries: Iterable<StoreEntry>, options?: StoreManyOptions): Promise<boolean[]>

  /** Reads many keys. The results have the order of the keys. */
  getMany(keys: Iterable<Key>, options?: GetManyOptions): Promise<(Found | undefined)[]>

  /**
   * Delivers the current value of a key, as `get` would return it, if there is one, and then each
   * change as it happens: another value, a subkey more or less, a later expiration; undefined when
   * the last of it has expired or been deleted. Starts with the first request for a value. A slow
   * consumer skips intermediate values, and never gets an older value after a newer one. Leaving
   * the loop ends it. When the signal is aborted, the loop throws the signal's reason; when the
   * node stops, `AbortError`.
   *
   * @throws TypeError or InvalidKeyError for a value that can't be a key
   */
  watch(key: Key, options?: WatchOptions): AsyncIterableIterator<Found | undefined>

  /** Finds the peers nearest to a key that answer, nearest first, without this node. */
  findNearestPeers(key: Key, options?: FindNearestPeersOptions): Promise<PeerId[]>
}
