import type { PeerId } from '@libp2p/interface'
import type { Found, Key, Storable, Subkey, Value } from '@waggle/record'
import type { Inspection } from '../inspection/inspection.ts'
import type { Watch, WatchOptions } from '../live/watch.ts'
import type { CallOptions } from '../timing/calls.ts'
import type {
  DeleteOptions,
  FindNearestPeersOptions,
  GetManyOptions,
  GetOptions,
  KeyOrPlace,
  PlaceOptions,
  StoreEntry,
  StoreManyOptions,
  StoreOptions
} from './call-options.ts'
import type { Publication, PublishOptions } from './publication.ts'
import type { Report, Result } from './store-report.ts'

/** Operations of a node with `waggle()`, which `DHT` offers. */
export interface WaggleOperations {
  /**
   * Stores a value until it expires at the nearest `numReplicas` peers. Resolves with true if at
   * least one replica accepted it, and with false if the rules say no: a replica has something that
   * beats it, or it has expired already. With `report: true`, resolves with a {@link StoreReport}
   * instead, whatever the outcome, and none of the last three errors is thrown.
   *
   * @throws TypeError, InvalidKeyError, InvalidExpirationError or RecordTooLargeError for a value
   * that can't be stored
   * @throws ValidationError when another peer owns the place (R15), or a validator of this node
   * refuses the value
   * @throws TimeoutError
   * @throws NotStoredError when all replicas that responded are full, or refuse the value
   * @throws BusyError when no replica responded, and some were busy
   * @throws UnreachableError when no replica responded
   */
  store<V, R extends boolean = false>(
    key: Key,
    value: Value | (V & Storable<V>),
    options: StoreOptions & Report<R>
  ): Promise<Result<R>>

  /**
   * Reads one subkey of a dictionary, which costs what a small value costs, however large the dictionary
   * is. Resolves with undefined if the subkey holds nothing live, or the key a plain value.
   *
   * @throws TypeError or InvalidKeyError for a value that can't be a key or a subkey
   * @throws UnreachableError when too few peers answered to know that it is absent
   * @throws TimeoutError
   */
  get(
    key: Key,
    options: GetOptions & { readonly subkey: Subkey }
  ): Promise<Found<Value> | undefined>

  /**
   * Reads a key: a value, or a dictionary as a Map from subkey to `{ value, expirationTime }`.
   * Resolves with undefined if nothing live is there.
   *
   * @throws TypeError or InvalidKeyError for a value that can't be a key
   * @throws UnreachableError when no peer answered, so that absence is not known
   * @throws TimeoutError
   */
  get(key: Key, options?: GetOptions & PlaceOptions): Promise<Found | undefined>

  /**
   * Deletes a key or a subkey by storing a tombstone, which wins and loses by its expiration as any
   * write does. Without a lifetime, reads what is there by now, and stores a tombstone that expires a
   * moment later; resolves with true at once if nothing is there, and with false if others own subkeys
   * that stay. Otherwise resolves and rejects as `store` does.
   */
  delete<R extends boolean = false>(
    key: Key,
    options?: DeleteOptions & Report<R>
  ): Promise<Result<R>>

  /**
   * Keeps a value alive for as long as this node runs: stores it, again when half of its `ttl` has passed
   * and at least once an hour, and tries again until a replica has it, at once when a peer connects.
   * Returns at once. Ends with `stop`, or when a later `store`, `delete` or `publish` of this node in the
   * same place is held.
   *
   * Validators of this node check the value later: if one refuses it, `held` rejects with a `ValidationError`.
   *
   * @throws TypeError, InvalidKeyError, InvalidExpirationError or RecordTooLargeError for a value that can't be stored
   * @throws ValidationError when another peer owns the place (R15)
   */
  publish<V>(key: Key, value: Value | (V & Storable<V>), options: PublishOptions): Publication

  /**
   * Stores many entries. The results have the order of the entries. Checks all entries of an array before
   * it stores any. Tries everything before it rejects.
   *
   * @throws NotStoredError with reports of all entries, when no replica has one of them that the rules allow
   * @throws TimeoutError with the results so far
   */
  storeMany<R extends boolean = false>(
    entries: Iterable<StoreEntry>,
    options?: StoreManyOptions & Report<R>
  ): Promise<Result<R>[]>

  /**
   * Reads many keys, or single subkeys of them as `{ key, subkey }`. The results have the order of the keys.
   * Tries everything before it rejects.
   *
   * @throws NotReadError with all results, when some keys could not be read
   * @throws TimeoutError with the results so far
   */
  getMany(keys: Iterable<KeyOrPlace>, options?: GetManyOptions): Promise<(Found | undefined)[]>

  /**
   * Watches one subkey of a dictionary. Peers send its changes alone, and those of the key's plain value, which may
   * erase it. `current` is what `get` with the `subkey` would find.
   *
   * @throws TypeError or InvalidKeyError for a value that can't be a key or a subkey
   */
  watch<R extends boolean = false>(
    key: Key,
    options: WatchOptions<R> & { readonly subkey: Subkey }
  ): Watch<Found<Value> | undefined, Subkey, Value, R>

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
