import type { Libp2p, PeerId, ServiceMap } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Found, Key, RecordValidator, Storable, Subkey, Value } from '@waggle/record'
import type { BootstrapError } from './errors.ts'
import { assertListening, type DHTEvents } from './events.ts'
import type { DictionaryHandle } from './handles/dictionary-handle.ts'
import type { HandleOptions, Input, Output, StorableSchema } from './handles/handle-options.ts'
import { type Handles, handlesOf } from './handles/handles.ts'
import type { PresenceHandle, PresenceOptions } from './handles/presence-handle.ts'
import type { ValueHandle } from './handles/value-handle.ts'
import type { Inspection } from './inspection/inspection.ts'
import { JoinedNode } from './join/joined-node.ts'
import { Listeners, type ListenOptions } from './listeners.ts'
import type { Watch, WatchOptions } from './live/watch.ts'
import type { DHTOptions } from './node/options.ts'
import { assertNode } from './node/runtime.ts'
import { settingsOf } from './node/settings.ts'
import type { BaseOperations } from './operations/base-operations.ts'
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
} from './operations/call-options.ts'
import type { Publication, PublishOptions } from './operations/publication.ts'
import type { Report, Result } from './operations/store-report.ts'
import type { WaggleOperations } from './operations/waggle-operations.ts'
import { watchKey } from './operations/watch-key.ts'
import type { SealedOptions } from './sealed/sealed-operations.ts'
import { type SealedView, sealedView } from './sealed/sealed-view.ts'
import type { Stats } from './service/stats.ts'
import type { HeldRecord } from './store/held-record.ts'
import type { CallOptions } from './timing/calls.ts'

/**
 * A distributed dictionary. Each call takes a `signal` and a `timeoutMs`. After `stop()` all calls,
 * those in flight included, reject with `AbortError`.
 */
export class DHT implements WaggleOperations, Handles, AsyncDisposable {
  readonly #joined: JoinedNode
  readonly #operations: BaseOperations
  readonly #handles: Handles
  readonly #listeners: Listeners
  #stopped: Promise<void> | undefined

  private constructor(joined: JoinedNode) {
    // JavaScript callers can call a constructor that TypeScript marks as private.
    if (!joined) {
      throw new TypeError(
        'a DHT takes time to start: use await DHT.create(…) instead of new DHT(…)'
      )
    }

    const { lifetime, waggle } = joined
    this.#joined = joined
    this.#operations = waggle.operations(lifetime)
    this.#handles = handlesOf(this.#operations)
    this.#listeners = new Listeners(waggle.events, lifetime)
  }

  /**
   * Starts a node, or uses the one given as `libp2p`, and joins the network. On failure, stops what it started and
   * rejects.
   *
   * @throws TypeError naming an option that is invalid
   * @throws ListenError when an address can't be listened on
   * @throws BootstrapError when no initial peer answers
   * @throws ClockSkewError with `strictClock`, when the clocks of those that answer and this machine's differ
   */
  static async create(options: DHTOptions = {}): Promise<DHT> {
    assertNode()
    return new DHT(await JoinedNode.join(settingsOf(options)))
  }

  /** This peer's id. */
  get peerId(): PeerId {
    return this.#joined.node.peerId
  }

  /** Addresses of this node, each with `/p2p/<peer id>`, for the `initialPeers` of others. */
  get multiaddrs(): Multiaddr[] {
    return this.#joined.node.getMultiaddrs()
  }

  /** Whether this node is a client, which stores no records. */
  get clientMode(): boolean {
    return this.#joined.waggle.clientMode
  }

  /** The libp2p node underneath. */
  get libp2p(): Libp2p<ServiceMap> {
    return this.#joined.node
  }

  /**
   * With `requireBootstrap: false`, the reasons why no initial peer answered when the node started; undefined if
   * one did. They are retried in the background, and `peer:connect` reports success.
   */
  get bootstrapError(): BootstrapError | undefined {
    return this.#joined.failure
  }

  /** Connected peers. */
  get peers(): PeerId[] {
    return this.#joined.waggle.peers
  }

  /** Returns the node's current figures; after its stop, the last ones. */
  stats(): Stats {
    return this.#joined.waggle.stats()
  }

  /**
   * Lists all live records that this node stores for others, in no particular order, each in its state at the time
   * of iteration. May omit records stored in the meantime.
   */
  heldRecords(): Iterable<HeldRecord> {
    return this.#joined.waggle.heldRecords()
  }

  /**
   * Listens to an event of this node until the DHT stops. The events are {@link DHTEvents}.
   *
   * @throws TypeError for an event that does not exist
   */
  addEventListener<K extends keyof DHTEvents>(
    type: K,
    listener: (event: DHTEvents[K]) => void,
    options?: ListenOptions
  ): void {
    assertListening(type, listener)
    this.#listeners.add(type, listener, options)
  }

  /** Removes a listener. */
  removeEventListener<K extends keyof DHTEvents>(
    type: K,
    listener: (event: DHTEvents[K]) => void
  ): void {
    this.#listeners.remove(type, listener)
  }

  /**
   * Adds validators for this node as a replica, as a reader and as a writer. They apply from now on, until the DHT
   * stops. Records that they refuse stay stored, but this node no longer shows them.
   *
   * @throws TypeError for a value that is not a validator
   * @throws AbortError when the DHT was stopped
   */
  addValidators(...validators: readonly RecordValidator[]): void {
    this.#joined.addValidators(validators)
  }

  store<V, R extends boolean = false>(
    key: Key,
    value: Value | (V & Storable<V>),
    options: StoreOptions & Report<R>
  ): Promise<Result<R>> {
    return this.#operations.store(key, value, options)
  }

  get(
    key: Key,
    options: GetOptions & { readonly subkey: Subkey }
  ): Promise<Found<Value> | undefined>
  get(key: Key, options?: GetOptions & PlaceOptions): Promise<Found | undefined>
  get(key: Key, options?: GetOptions & PlaceOptions): Promise<Found | undefined> {
    return this.#operations.get(key, options)
  }

  delete<R extends boolean = false>(
    key: Key,
    options?: DeleteOptions & Report<R>
  ): Promise<Result<R>> {
    return this.#operations.delete(key, options)
  }

  publish<V>(key: Key, value: Value | (V & Storable<V>), options: PublishOptions): Publication {
    return this.#operations.publish(key, value, options)
  }

  storeMany<R extends boolean = false>(
    entries: Iterable<StoreEntry>,
    options?: StoreManyOptions & Report<R>
  ): Promise<Result<R>[]> {
    return this.#operations.storeMany(entries, options)
  }

  getMany(keys: Iterable<KeyOrPlace>, options?: GetManyOptions): Promise<(Found | undefined)[]> {
    return this.#operations.getMany(keys, options)
  }

  watch<R extends boolean = false>(
    key: Key,
    options: WatchOptions<R> & { readonly subkey: Subkey }
  ): Watch<Found<Value> | undefined, Subkey, Value, R>
  watch<R extends boolean = false>(
    key: Key,
    options?: WatchOptions<R>
  ): Watch<Found | undefined, Subkey | undefined, Value, R>
  watch<R extends boolean = false>(
    key: Key,
    options?: WatchOptions<R>
  ): Watch<Found | undefined, Subkey | undefined, Value, R> {
    return watchKey(this.#operations, key, options)
  }

  value<S extends StandardSchemaV1, const O extends HandleOptions = object>(
    key: Key,
    schema: StorableSchema<S>,
    options?: O & HandleOptions
  ): ValueHandle<Input<S>, Output<S>, O> {
    return this.#handles.value<S, O>(key, schema, options)
  }

  dictionary<
    K extends StandardSchemaV1<Key, Key>,
    S extends StandardSchemaV1,
    const O extends HandleOptions = object
  >(
    key: Key,
    schemas: { readonly subkey: K; readonly value: StorableSchema<S> },
    options?: O & HandleOptions
  ): DictionaryHandle<Input<K>, Output<K>, Input<S>, Output<S>, O> {
    return this.#handles.dictionary<K, S, O>(key, schemas, options)
  }

  presence<S extends StandardSchemaV1>(
    key: Key,
    schema: StorableSchema<S>,
    options?: PresenceOptions
  ): PresenceHandle<Input<S>, Output<S>> {
    return this.#handles.presence<S>(key, schema, options)
  }

  inspect(key: Key, options?: CallOptions): Promise<Inspection> {
    return this.#operations.inspect(key, options)
  }

  /**
   * Returns the same operations on a view that only members with the secret can read: keys and subkeys are hidden,
   * and values are encrypted for their place and expiration. docs/sealed.md describes the protection, and the
   * information that replicas still see.
   *
   * @throws TypeError for a secret that is too short or not bytes, or an invalid option
   */
  sealed(secret: Uint8Array, options?: SealedOptions): SealedView {
    return sealedView(this.#operations, secret, options)
  }

  findNearestPeers(key: Key, options?: FindNearestPeersOptions): Promise<PeerId[]> {
    return this.#operations.findNearestPeers(key, options)
  }

  /** Leaves the network and stops the node, unless it was given as `libp2p`. May be called repeatedly. */
  async stop(): Promise<void> {
    this.#stopped ??= this.#operations.close().then(() => this.#joined.stop())
    await this.#stopped
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  /** Describes the node in one line, which `console.log` shows, too. Never throws. */
  toString(): string {
    // A debugger, or console.log, may print the prototype, or a node in any state.
    if (!(#joined in this)) {
      return 'DHT'
    }

    const { node, waggle, lifetime } = this.#joined

    try {
      const state = lifetime.aborted
        ? 'stopped'
        : `${waggle.clientMode ? 'client' : 'server'}, ${waggle.peers.length} connected`
      return `DHT(${node.peerId}, ${state})`
    } catch {
      return `DHT(${node.peerId}, ${node.status})`
    }
  }
}

// Node's name for the method that formats an object.
Object.defineProperty(DHT.prototype, Symbol.for('nodejs.util.inspect.custom'), {
  value: DHT.prototype.toString
})
