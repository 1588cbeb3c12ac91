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

  /** Whether the node was there before, and stays when the DHT stops. */
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
    // JavaScript doesn't know that it is private.
    if (!parts) {
      throw new TypeError('use await HivemindDHT.create(…) instead of new HivemindDHT(…)')
    }

    this.#parts = parts
    this.#operations = parts.hivemind.operations(parts.lifetime.signal)
  }

  /**
   * Starts a node, or takes the one given as `libp2p`, and joins the network. Rejects, having
   * stopped what it started, if that fails.
   *
   * @throws TypeError naming an option that is wrong
   * @throws BootstrapError when no initial peer answers
   * @throws ClockSkewError when an initial peer's clock is not like this machine's
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

  /** This peer's identity. */
  get peerId(): PeerId {
    return this.#parts.node.peerId
  }

  /** This node's place in the key space, 20 bytes. */
  get nodeId(): DHTId {
    return this.#parts.hivemind.nodeId
  }

  /** Where other peers reach this one: what they pass as `initial_peers`. */
  get multiaddrs(): Multiaddr[] {
    return this.#parts.node.getMultiaddrs()
  }

  /** Whether this node only reads and writes, and holds no records. */
  get clientMode(): boolean {
    return this.#parts.hivemind.clientMode
  }

  /** The libp2p node underneath. */
  get libp2p(): Libp2p<ServiceMap> {
    return this.#parts.node
  }

  /** The peers that this node is connected to. */
  get peers(): PeerId[] {
    return this.#parts.hivemind.peers
  }

  /** The peers in the routing table: Hivemind's nodes that were heard of lately. */
  get knownPeers(): PeerId[] {
    return this.#parts.hivemind.knownPeers
  }

  /** What there is to see of this node. */
  stats(): HivemindStats {
    return this.#parts.hivemind.stats()
  }

  /** Hears of what happens to this node, until the DHT stops. */
  addEventListener<K extends keyof HivemindEvents>(
    type: K,
    listener: (event: HivemindEvents[K]) => void
  ): void {
    const { signal } = this.#parts.lifetime
    this.#parts.hivemind.events.addEventListener(type, listener, { signal })
  }

  /** Stops hearing of it. */
  removeEventListener<K extends keyof HivemindEvents>(
    type: K,
    listener: (event: HivemindEvents[K]) => void
  ): void {
    this.#parts.hivemind.events.removeEventListener(type, listener)
  }

  /**
   * Stores a value until it expires at the nearest `numReplicas` nodes. True if at least one took
   * it, or has it already, and none shows something that beats it; false, too, if it has expired.
   *
   * @throws TypeError for what Python could not read
   * @throws ValidationError for what a validator or a limit of this node refuses
   * @throws UnreachableError when no node is there to hold it
   */
  async store(
    key: HivemindKey,
    value: HivemindValue,
    options: HivemindStoreOptions
  ): Promise<boolean> {
    return this.#operations.store(key, value, options)
  }

  /** Stores many entries; answers in their order. Checks all of them before it stores any. */
  async storeMany(
    entries: Iterable<HivemindStoreEntry>,
    options?: HivemindStoreManyOptions
  ): Promise<boolean[]> {
    return this.#operations.storeMany(entries, options)
  }

  /**
   * Reads what is stored under a key: a value, or a dictionary as a Map from subkey to
   * `{ value, expirationTime }`. Undefined if nothing live is there.
   *
   * @throws UnreachableError when no node answered, so that nobody can say
   */
  async get(key: HivemindKey, options?: HivemindGetOptions): Promise<HivemindFound | undefined> {
    return this.#operations.get(key, options)
  }

  /** Reads many keys; answers in their order. */
  async getMany(
    keys: Iterable<HivemindKey>,
    options?: HivemindGetOptions
  ): Promise<(HivemindFound | undefined)[]> {
    return this.#operations.getMany(keys, options)
  }

  /** The peers nearest to a key that answered, nearest first; this node is left out. */
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

  /** @throws TypeError always: nodes of Hivemind tell nobody of changes */
  watch(): never {
    throw new TypeError('Hivemind has no watching: get with latest: true from time to time')
  }

  /** Leaves the network and stops the node, unless it was given as `libp2p`. May be called again. */
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
