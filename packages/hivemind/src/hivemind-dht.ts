import { AbortError, type Libp2p, type PeerId, type ServiceMap } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { setMaxListeners } from 'main-event'
import type { DHTId } from './keys/dht-id.ts'
import type { HivemindKey, HivemindValue } from './msgpack/python-types.ts'
import { join } from './node/join.ts'
import { startNode } from './node/node.ts'
import { type HivemindDHTOptions, nodeSettings } from './node/options.ts'
import type {
  HivemindFindNearestPeersOptions,
  HivemindGetOptions,
  HivemindStoreEntry,
  HivemindStoreManyOptions,
  HivemindStoreOptions
} from './operations/call-options.ts'
import type { HivemindOperations } from './operations/operations.ts'
import type { HivemindFound } from './reading/view.ts'
import type { Hivemind, HivemindEvents, HivemindStats } from './service/interface.ts'
import { findHivemind } from './service/service.ts'
import type { CommonDHT } from './waggle-parts.ts'

interface Parts {
  readonly node: Libp2p<ServiceMap>
  readonly hivemind: Hivemind

  /** Whether the caller owns the node, which then keeps running when the DHT stops. */
  readonly isBorrowed: boolean
  readonly lifetime: AbortController
}

/**
 * A node of a Hivemind network, whose other nodes may run in Python. Each call takes a `signal` and
 * a `timeoutMs`; after `stop()` all calls reject with `AbortError`.
 */
export class HivemindDHT implements CommonDHT<HivemindKey, HivemindValue, HivemindFound['value']> {
  readonly #parts: Parts
  readonly #operations: HivemindOperations
  #stopped: Promise<void> | undefined

  private constructor(parts: Parts) {
    // JavaScript callers can call a constructor that TypeScript marks as private.
    if (!parts) {
      throw new TypeError('use await HivemindDHT.create(…) instead of new HivemindDHT(…)')
    }

    this.#parts = parts
    this.#operations = parts.hivemind.operations(parts.lifetime.signal)
  }

  /**
   * Starts a node, or uses the one given as `libp2p`, and joins the network. On failure, stops what it started and
   * rejects.
   *
   * @throws TypeError naming an invalid option
   * @throws BootstrapError when no initial peer answers
   * @throws ClockSkewError when an initial peer's clock differs from this machine's
   * @throws ReachabilityError when initial peers cannot connect to this node
   */
  static async create(options: HivemindDHTOptions = {}): Promise<HivemindDHT> {
    const settings = nodeSettings(options)
    settings.signal?.throwIfAborted()
    const isBorrowed = settings.libp2p !== undefined
    const node = settings.libp2p ?? (await startNode(settings))
    const lifetime = new AbortController()
    setMaxListeners(Number.POSITIVE_INFINITY, lifetime.signal)

    try {
      const parts = { node, hivemind: serviceOf(node), isBorrowed, lifetime }
      await join({ ...settings, ...parts, lifetime: lifetime.signal })
      return new HivemindDHT(parts)
    } catch (error) {
      lifetime.abort(new AbortError('the DHT was not created'))
      await (isBorrowed ? undefined : node.stop())
      throw error
    }
  }

  /** This peer's id. */
  get peerId(): PeerId {
    return this.#parts.node.peerId
  }

  /** This node's position in the key space, 20 bytes. */
  get nodeId(): DHTId {
    return this.#parts.hivemind.nodeId
  }

  /** Addresses at which other peers reach this one: their `initial_peers`. */
  get multiaddrs(): Multiaddr[] {
    return this.#parts.node.getMultiaddrs()
  }

  /** Whether this node only reads and writes, and stores no records for others. */
  get clientMode(): boolean {
    return this.#parts.hivemind.clientMode
  }

  /** The libp2p node underneath. */
  get libp2p(): Libp2p<ServiceMap> {
    return this.#parts.node
  }

  /** The connected peers. */
  get peers(): PeerId[] {
    return this.#parts.hivemind.peers
  }

  /** The peers in the routing table: Hivemind nodes that were seen recently. */
  get knownPeers(): PeerId[] {
    return this.#parts.hivemind.knownPeers
  }

  /** Returns the node's current figures. */
  stats(): HivemindStats {
    return this.#parts.hivemind.stats()
  }

  /** Adds a listener to the node's events. The listener is removed when the DHT stops. */
  addEventListener<K extends keyof HivemindEvents>(
    type: K,
    listener: (event: HivemindEvents[K]) => void
  ): void {
    const { signal } = this.#parts.lifetime
    this.#parts.hivemind.events.addEventListener(type, listener, { signal })
  }

  /** Removes a listener. */
  removeEventListener<K extends keyof HivemindEvents>(
    type: K,
    listener: (event: HivemindEvents[K]) => void
  ): void {
    this.#parts.hivemind.events.removeEventListener(type, listener)
  }

  /**
   * Stores a value until it expires at the nearest `numReplicas` nodes. Returns true if at least one accepted it or
   * has it already, and none returned an entry that beats it. Returns false if the value has expired.
   *
   * @throws TypeError for a value that Python could not read
   * @throws ValidationError if a validator or a limit of this node refuses the value
   * @throws UnreachableError when no node can store it
   */
  async store(
    key: HivemindKey,
    value: HivemindValue,
    options: HivemindStoreOptions
  ): Promise<boolean> {
    return this.#operations.store(key, value, options)
  }

  /** Stores many entries and returns the results in their order. Checks all of them before it stores any. */
  async storeMany(
    entries: Iterable<HivemindStoreEntry>,
    options?: HivemindStoreManyOptions
  ): Promise<boolean[]> {
    return this.#operations.storeMany(entries, options)
  }

  /**
   * Reads a key: a value, or a dictionary as a Map from subkey to `{ value, expirationTime }`. Undefined if the key
   * has no live entry.
   *
   * @throws UnreachableError when no node responded, so the key's state is unknown
   */
  async get(key: HivemindKey, options?: HivemindGetOptions): Promise<HivemindFound | undefined> {
    return this.#operations.get(key, options)
  }

  /** Reads many keys and returns the results in their order. */
  async getMany(
    keys: Iterable<HivemindKey>,
    options?: HivemindGetOptions
  ): Promise<(HivemindFound | undefined)[]> {
    return this.#operations.getMany(keys, options)
  }

  /** Finds the responding peers nearest to a key, nearest first, without this node. */
  async findNearestPeers(
    key: HivemindKey,
    options?: HivemindFindNearestPeersOptions
  ): Promise<PeerId[]> {
    return this.#operations.findNearestPeers(key, options)
  }

  /** @throws TypeError always: Hivemind's records cannot be deleted */
  async delete(): Promise<never> {
    throw new TypeError(
      'Hivemind has no deletion: store null with a later expiration, and read null as nothing'
    )
  }

  /** @throws TypeError always: Hivemind nodes do not announce changes */
  watch(): never {
    throw new TypeError('Hivemind has no watching: get with latest: true from time to time')
  }

  /** Leaves the network and stops the node, unless it was given as `libp2p`. May be called repeatedly. */
  async stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    await this.#stopped
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #stop(): Promise<void> {
    const { lifetime, isBorrowed, node } = this.#parts
    lifetime.abort(new AbortError('the DHT was stopped'))
    await (isBorrowed ? undefined : node.stop())
  }
}

function serviceOf(node: Libp2p<ServiceMap>): Hivemind {
  if (node.status !== 'started') {
    throw new TypeError(`libp2p: the node is ${node.status}: start it first`)
  }

  const hivemind = findHivemind(node.services)

  if (hivemind === undefined) {
    throw new TypeError(
      'libp2p: the node has no Hivemind service: add hivemindKad: hivemindKadDHT() and hivemind: hivemind() to its services'
    )
  }

  return hivemind
}
