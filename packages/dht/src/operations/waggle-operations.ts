import type { PeerId } from '@libp2p/interface'
import type { Found, Key, Subkey, Value } from '@waggle/record'
import type { Inspection } from '../inspection/inspection.ts'
import type { Watch, WatchOptions } from '../live/watch.ts'
import type { CallOptions } from '../timing/calls.ts'
import type {
  DeleteOptions,
  FindNearestPeersOptions,
  GetManyOptions,
  GetOptions,
  PlaceOptions,
  StoreEntry,
  StoreManyOptions,
  StoreOptions
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
   * Watches a key. Each event has `current`, what `get` would find, and `changes`, what differs from the event before:
   * a value that is new, another one, or gone. The first event comes as soon as a peer has answered, also if nothing
   * is there. A slow loop skips intermediate states, never gets an older state after a newer one, and always gets the
   * last one. `break`, an aborted signal and `stop()` end the loop; none of them throws.
   *
   * @throws TypeError or InvalidKeyError for a value that can't be a key
   */
  watch<R extends boolean = false>(
    key: Key,
    options?: WatchOptions<R>
  ): Watch<Found | undefined, Subkey | undefined, Value, R>

  /**
   * Looks where a key lives: asks the nearest peers what they hold, repairs nothing, and remembers nothing.
   *
   * @throws TypeError or InvalidKeyError for a value that can't be a key
   * @throws TimeoutError
   */
  inspect(key: Key, options?: CallOptions): Promise<Inspection>

  /** Finds the peers nearest to a key that answer, nearest first, without this node. */
  findNearestPeers(key: Key, options?: FindNearestPeersOptions): Promise<PeerId[]>
}
