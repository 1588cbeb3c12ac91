import { AbortError, type Libp2p, type PeerId, type ServiceMap } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Found, Key, RecordValidator, Value } from '@waggle/record'
import { setMaxListeners } from 'main-event'
import type { BootstrapError } from './errors.ts'
import { assertListening, type DHTEvents } from './events.ts'
import { join, type Membership } from './join/join.ts'
import { Listeners, type ListenOptions } from './listeners.ts'
import { startNode } from './node/node.ts'
import { type DHTOptions, type Settings, settingsOf } from './node/options.ts'
import { whenRelayed } from './node/relay.ts'
import { assertNode } from './node/runtime.ts'
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
} from './operations/call-options.ts'
import type { WaggleOperations } from './operations/waggle-operations.ts'
import { findWaggle } from './service/service.ts'
import type { Waggle } from './service/service-interface.ts'
import type { Stats } from './service/stats.ts'
import type { HeldRecord } from './store/held-record.ts'
import { anySignal, timeoutSignal } from './timing/deadline.ts'

interface Parts {
  readonly node: Libp2p<ServiceMap>
  readonly waggle: Waggle

  /** Whether the node was there before, and stays when the DHT stops. */
  readonly isBorrowed: boolean
  readonly lifetime: AbortController

  /** What this DHT has added, and a borrowed node has to be rid of when it stops. */
  readonly validators: RecordValidator[]
  membership?: Membership
}

/**
 * A dictionary that many peers share. Each call takes a `signal` and a `timeoutMs`; after `stop()`
 * all calls, pending ones included, reject with `AbortError`.
 */
export class DHT implements WaggleOperations, AsyncDisposable {
  readonly #parts: Parts
  readonly #operations: WaggleOperations
  readonly #listeners: Listeners
  #stopped: Promise<void> | undefined

  private constructor(parts: Parts) {
    // JavaScript doesn't know that it is private.
    if (!parts) {
      throw new TypeError(
        'a DHT takes time to start: use await DHT.create(…) instead of new DHT(…)'
      )
    }

    this.#parts = parts
    this.#operations = parts.waggle.operations(parts.lifetime.signal)
    this.#listeners = new Listeners(parts.waggle.events, parts.lifetime.signal)
  }

  /**
   * Starts a node, or takes the one given as `libp2p`, and joins the network. Rejects, having
   * stopped what it started, if that fails.
   *
   * @throws TypeError naming an option that is wrong
   * @throws ListenError when an address can't be listened on
   * @throws BootstrapError when no initial peer answers
   * @throws ClockSkewError with `strictClock`, when the clocks of those that answer are not like this machine's
   */
  static async create(options: DHTOptions = {}): Promise<DHT> {
    assertNode()
    const settings = settingsOf(options)
    settings.signal?.throwIfAborted()
    const parts = settings.libp2p ? borrowed(settings.libp2p) : await started(settings)

    try {
      const { node, waggle, lifetime, isBorrowed } = parts
      const memory = waggle.peerMemory
      parts.membership = await join({
        ...settings,
        node,
        waggle,
        memory,
        lifetime: lifetime.signal
      })
      await (settings.relay && relayed(node, settings))

      if (isBorrowed) {
        addValidators(parts, settings.validators)
      }

      return new DHT(parts)
    } catch (error) {
      await stop(parts)
      throw error
    }
  }

  /** This peer's identity. */
  get peerId(): PeerId {
    return this.#parts.node.peerId
  }

  /** Where other peers reach this one, each with `/p2p/<peer id>`: what they pass as `initialPeers`. */
  get multiaddrs(): Multiaddr[] {
    return this.#parts.node.getMultiaddrs()
  }

  /** Whether this node only reads and writes, and holds no records. */
  get clientMode(): boolean {
    return this.#parts.waggle.clientMode
  }

  /** The libp2p node underneath. */
  get libp2p(): Libp2p<ServiceMap> {
    return this.#parts.node
  }

  /**
   * With `requireBootstrap: false`: why none of the initial peers could be asked when the node
   * started; undefined if one could. They are tried again in the background, and `peer:join` tells
   * of success.
   */
  get bootstrapError(): BootstrapError | undefined {
    return this.#parts.membership?.failure
  }

  /** The peers that this node is connected to. */
  get peers(): PeerId[] {
    return this.#parts.waggle.peers
  }

  /** What there is to see of this node. */
  stats(): Stats {
    return this.#parts.waggle.stats()
  }

  /**
   * All live records that this node holds for others, in no order. Each is as it is when the loop
   * comes to it, and what is stored meanwhile may be missed.
   */
  heldRecords(): Iterable<HeldRecord> {
    return this.#parts.waggle.heldRecords()
  }

  /**
   * Hears of what happens to this node, until the DHT stops. What there is to hear: {@link DHTEvents}.
   *
   * @throws TypeError for an event that there never is
   */
  addEventListener<K extends keyof DHTEvents>(
    type: K,
    listener: (event: DHTEvents[K]) => void,
    options?: ListenOptions
  ): void {
    assertListening(type, listener)
    this.#listeners.add(type, listener, options)
  }

  /** Stops hearing of it. */
  removeEventListener<K extends keyof DHTEvents>(
    type: K,
    listener: (event: DHTEvents[K]) => void
  ): void {
    this.#listeners.remove(type, listener)
  }

  /**
   * Adds rules for what may be stored, for this node as a replica, as a reader and as a writer. They
   * count from now on, until the DHT stops: what is held already stays, but this node does not show
   * it any more.
   *
   * @throws TypeError for what is no validator
   * @throws AbortError when the DHT was stopped
   */
  addValidators(...validators: readonly RecordValidator[]): void {
    this.#parts.lifetime.signal.throwIfAborted()
    addValidators(this.#parts, validators)
  }

  async store(key: Key, value: Value, options: StoreOptions): Promise<boolean> {
    return this.#operations.store(key, value, options)
  }

  async get(key: Key, options?: GetOptions): Promise<Found | undefined> {
    return this.#operations.get(key, options)
  }

  async delete(key: Key, options: DeleteOptions): Promise<boolean> {
    return this.#operations.delete(key, options)
  }

  stopRepublishing(key: Key, options?: PlaceOptions): boolean {
    return this.#operations.stopRepublishing(key, options)
  }

  async storeMany(entries: Iterable<StoreEntry>, options?: StoreManyOptions): Promise<boolean[]> {
    return this.#operations.storeMany(entries, options)
  }

  async getMany(keys: Iterable<Key>, options?: GetManyOptions): Promise<(Found | undefined)[]> {
    return this.#operations.getMany(keys, options)
  }

  watch(key: Key, options?: WatchOptions): AsyncIterableIterator<Found | undefined> {
    return this.#operations.watch(key, options)
  }

  async findNearestPeers(key: Key, options?: FindNearestPeersOptions): Promise<PeerId[]> {
    return this.#operations.findNearestPeers(key, options)
  }

  /** Leaves the network and stops the node, unless it was given as `libp2p`. May be called again. */
  async stop(): Promise<void> {
    this.#stopped ??= stop(this.#parts)
    await this.#stopped
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  /** Who it is and how it stands, in a line; `console.log` shows the same. */
  toString(): string {
    const state = this.#parts.lifetime.signal.aborted
      ? 'stopped'
      : `${this.clientMode ? 'client' : 'server'}, ${this.peers.length} connected`
    return `DHT(${this.peerId}, ${state})`
  }
}

// By this Node asks an object what to print of it.
Object.defineProperty(DHT.prototype, Symbol.for('nodejs.util.inspect.custom'), {
  value: DHT.prototype.toString
})

async function started(settings: Settings): Promise<Parts> {
  const node = await startNode(settings)
  return partsOf(node, { isBorrowed: false })
}

/** Waits a while for a relay. Without one the node does everything but be reached, and goes on looking. */
async function relayed(
  node: Libp2p<ServiceMap>,
  { signal, requestTimeoutMs }: Settings
): Promise<void> {
  try {
    await whenRelayed(node, { signal: anySignal(signal, timeoutSignal(requestTimeoutMs)) })
  } catch (error) {
    signal?.throwIfAborted()
    node.logger
      .forComponent('waggle:relay')
      .error(
        'WARNING: no peer that was met is a relay (serveRelay), so nobody can reach this node yet - %e',
        error
      )
  }
}

function borrowed(node: Libp2p<ServiceMap>): Parts {
  if (node.status !== 'started') {
    throw new TypeError(`libp2p: the node is ${node.status}: start it first`)
  }

  return partsOf(node, { isBorrowed: true })
}

function partsOf(node: Libp2p<ServiceMap>, { isBorrowed }: { isBorrowed: boolean }): Parts {
  const waggle = findWaggle(node.services)

  if (waggle === undefined) {
    throw new TypeError(
      'libp2p: the node has no Waggle service: add dht: waggleKadDHT() and waggle: waggle() to its services'
    )
  }

  const lifetime = new AbortController()
  // Whatever ends with the DHT listens to it, such as each attempt to reach a peer.
  setMaxListeners(Number.POSITIVE_INFINITY, lifetime.signal)
  return { node, waggle, isBorrowed, lifetime, validators: [] }
}

function addValidators({ waggle, validators }: Parts, added: readonly RecordValidator[]): void {
  waggle.addValidators(...added)
  validators.push(...added)
}

async function stop(parts: Parts): Promise<void> {
  const { node, waggle, isBorrowed, lifetime, membership, validators } = parts
  lifetime.abort(new AbortError('the DHT was stopped'))

  if (isBorrowed) {
    waggle.removeValidators(...validators)
  }

  await membership?.flush()

  if (!isBorrowed) {
    await node.stop()
  }
}
