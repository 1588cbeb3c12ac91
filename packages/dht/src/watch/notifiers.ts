import type { PeerId, PeerInfo } from '@libp2p/interface'
import type { DHTRecord } from '@waggle/record'
import type { UnreachableError } from '../errors.ts'
import { type Point, pointOfKey, pointOfPeer, roughDistance } from '../peers/key-space.ts'
import type { GatewayFallback } from '../reading/gateway-fallback.ts'
import type { KnownRecords } from '../reading/known-records.ts'
import type { Replicas } from '../reading/replicas.ts'
import { digestOf } from '../store/record-digest.ts'
import { NEVER_FRESH } from '../store/stored-record.ts'
import type { CancellationToken } from '../timing/cancellation.ts'
import { KeyForwarders } from './key-forwarders.ts'
import { LOOK_DELAY_MS, PROMPT_PEERS, RENEW_MS, RENEWALS_PER_CHECK, SEEK_MS } from './limits.ts'
import type { ChangeChannel, WatchReply } from './watch-client.ts'
import type { WatchedPlace, WatchRole } from './watch-messages.ts'

/** The parts of a node that all its watched keys share. */
export interface NotifiersNode {
  readonly channel: ChangeChannel
  readonly numReplicas: number
  readonly replicas: Pick<Replicas, 'ask'>

  /** Gateways to replicas that cannot be dialled (N14); undefined: there are none. */
  readonly gateways?: Pick<GatewayFallback, 'gatewaysFor' | 'isNeeded'> | undefined
  /** The records that this node knows already, as a reader. */
  readonly known: KnownRecords

  /** Rejects when a peer does not answer in time. */
  readonly inTime: <T>(peer: PeerInfo, answer: Promise<T>) => Promise<T>
}

export interface NotifiersInit {
  readonly place: WatchedPlace
  readonly node: NotifiersNode

  /** Returns the known record. */
  readonly known: () => DHTRecord

  /** Takes in a peer's record. */
  readonly learn: (record: DHTRecord) => void
}

/**
 * The peers that notify this node of one key, or of one subkey: its nearest peers, or two gateways if too few of these can
 * be reached, or two forwarders if fewer than two have room. Forwarders spare replicas a renewal, so these are asked rarely, one at a time: for
 * whatever forwarders hold back, and whether there is room again.
 */
export class Notifiers implements CancellationToken {
  readonly #init: NotifiersInit
  readonly #point: Point
  readonly #replicas = new Map<string, PeerInfo>()
  readonly #forwarders: KeyForwarders
  readonly #gateways: KeyForwarders

  /** Replicas that are to notify at once. */
  readonly #prompt = new Set<string>()

  /** The nearest peers at the last look. */
  #nearest: readonly PeerInfo[] = []

  /** Possible forwarders, named by each full replica. */
  readonly #named = new Map<string, readonly PeerInfo[]>()
  #renewals = 0
  #soughtMs = Number.NEGATIVE_INFINITY
  #losses = 0
  #lostMs = Number.NEGATIVE_INFINITY

  /** Time in ms of the process's clock by which all that the replicas held was known. */
  freshMs: number = NEVER_FRESH

  isCancelled = false

  /** Whether this node forwards notices. Replicas then have other places for it. */
  isForwarder = false

  constructor(init: NotifiersInit) {
    const { channel } = init.node
    this.#init = init
    this.#point = pointOfKey(init.place.key)
    this.#forwarders = new KeyForwarders({
      ask: (forwarder) => this.#askForwarder(forwarder, 'dependant'),
      unwatch: (forwarder) => channel.unwatch(forwarder, init.place)
    })
    this.#gateways = new KeyForwarders({
      ask: (gateway) => this.#askForwarder(gateway, 'remote'),
      unwatch: (gateway) =>
        this.#replicas.has(gateway.id.toString()) || channel.unwatch(gateway, init.place)
    })
  }

  /** Whether any replica notifies at once. Only then can others rely on this node. */
  get isToldByReplicas(): boolean {
    return this.#countPrompt() > 0
  }

  /** Whether any peer notifies at once. */
  get isPrompt(): boolean {
    return this.isToldByReplicas || this.#forwarders.size > 0 || this.#gateways.size > 0
  }

  /** Renews what forwarders notify of. Returns whether that is enough for now. */
  async renewForwarders(): Promise<boolean> {
    if (this.isForwarder || this.#forwarders.size === 0) {
      return false
    }

    await this.#forwarders.renew()
    const isCheckDue = ++this.#renewals % RENEWALS_PER_CHECK === 0
    return this.#forwarders.isComplete && !(isCheckDue && (await this.#isReplicaNeeded()))
  }

  /**
   * Has the nearest peers notify from now on, and gateways if too few of these respond (N14). Resolves with an
   * error in this case.
   */
  async askAll(): Promise<{ error: UnreachableError | undefined; isByGateways: boolean }> {
    const isEarly = this.#init.node.gateways?.isNeeded(this.#init.place.key) === true

    if (isEarly) {
      await this.#askGateways()
    }

    const error = await this.askReplicas()

    if (error === undefined) {
      this.#gateways.drop()
    } else if (!isEarly) {
      await this.#askGateways()
    }

    return { error, isByGateways: this.#gateways.size > 0 }
  }

  /**
   * Asks the nearest peers to notify, and takes in their present records; releases peers that are no longer nearest.
   * Resolves with an error if too few of them respond.
   */
  async askReplicas(): Promise<UnreachableError | undefined> {
    const { node, place } = this.#init
    const askedMs = node.known.nowMs()
    this.#named.clear()
    const { error, responded } = await node.replicas.ask(place.key, this, (contact, cancellation) =>
      this.#ask(contact, this.#roleAt(contact), cancellation)
    )
    this.#nearest = responded
    this.freshMs = error === undefined ? askedMs : this.freshMs
    this.#keep(responded)
    await this.#promote()
    return error
  }

  /**
   * Finds forwarders if too few of the nearest peers notify at once because they are full. If there are
   * none, they are not looked for at each poll.
   */
  async findForwarders(): Promise<void> {
    const enough = this.isForwarder ? 1 : PROMPT_PEERS
    const isFull = this.#named.size > 0 && this.#countPrompt() < enough

    if (!isFull || this.isCancelled) {
      this.#forwarders.drop()
      return
    }

    if (performance.now() - this.#soughtMs >= SEEK_MS) {
      this.#forwarders.offer(interleave([...this.#named.values()], this.#nearest))
      await this.#forwarders.renew()
      this.#soughtMs = this.#forwarders.size > 0 ? Number.NEGATIVE_INFINITY : performance.now()
    }

    if (this.#forwarders.isComplete) {
      this.#keep([])
    }
  }

  /**
   * A peer notifies no more. Says after how many milliseconds to look for another one: longer each
   * time if such losses don't end; undefined if it is no loss.
   */
  lose(peer: PeerId): number | undefined {
    const name = peer.toString()
    const isForwarder = [this.#forwarders, this.#gateways].some((ones) => ones.lose(name))

    if (!this.#forget(name) && !isForwarder) {
      return undefined
    }

    const nowMs = performance.now()
    this.#losses = nowMs - this.#lostMs > RENEW_MS ? 0 : this.#losses + 1
    this.#lostMs = nowMs
    return Math.min(LOOK_DELAY_MS * 2 ** this.#losses, RENEW_MS)
  }

  /** Whether a peer should notify, and does not. */
  isNewReplica(peer: PeerId): boolean {
    if (this.#replicas.has(peer.toString()) || this.#forwarders.size > 0) {
      return false
    }

    const replicas = [...this.#replicas.values()].map(({ id }) => this.#distance(id))
    return (
      replicas.length < this.#init.node.numReplicas || this.#distance(peer) < Math.max(...replicas)
    )
  }

  /** Wants to know no more. */
  stop(): void {
    this.isCancelled = true
    this.#keep([])
    this.#forwarders.drop()
    this.#gateways.drop()
  }

  /** Has gateways watch the key for this node. */
  async #askGateways(): Promise<void> {
    const { node, place } = this.#init
    this.#gateways.offer(node.gateways?.gatewaysFor(place.key) ?? [])
    await this.#gateways.renew()
  }

  /** Asks one of the replicas. Returns whether it is to notify: it has room, has failed, or knew more than forwarders. */
  async #isReplicaNeeded(): Promise<boolean> {
    const replica = this.#nearest[Math.floor(Math.random() * this.#nearest.length)]
    const before = this.#init.known()

    if (replica === undefined) {
      return true
    }

    try {
      const { isWatched } = await this.#init.node.inTime(
        replica,
        this.#ask(replica, 'prompt', this)
      )
      return isWatched || this.#init.known() !== before
    } catch {
      return true
    }
  }

  /**
   * Asks other replicas to notify at once in place of those that are full, or not among the nearest.
   */
  async #promote(): Promise<void> {
    const missing = this.isForwarder ? 0 : PROMPT_PEERS - this.#countPrompt()
    const patient = [...this.#replicas].flatMap(([name, replica]) =>
      this.#prompt.has(name) ? [] : replica
    )
    await Promise.allSettled(
      patient
        .slice(0, missing)
        .map((replica) =>
          this.#init.node.inTime(replica, this.#ask(replica, this.#roleAt(replica), this))
        )
    )
  }

  /** The first replicas that are asked, and have not failed, are to notify at once. */
  #roleAt({ id }: PeerInfo): WatchRole {
    const name = id.toString()

    if (this.#gateways.has(name)) {
      return 'remote'
    }

    if (this.#prompt.size < PROMPT_PEERS) {
      this.#prompt.add(name)
    }

    const role = this.#prompt.has(name) ? 'prompt' : 'patient'
    return this.isForwarder ? 'forwarder' : role
  }

  async #ask(
    contact: PeerInfo,
    role: WatchRole,
    cancellation: CancellationToken
  ): Promise<WatchReply> {
    try {
      const reply = await this.#watch(contact, role, cancellation)
      this.#take(contact, reply)
      return reply
    } catch (error) {
      this.#forget(contact.id.toString())
      throw error
    }
  }

  /** Has a peer watch the key for this node. Resolves with whether it does. */
  async #askForwarder(peer: PeerInfo, role: WatchRole): Promise<boolean> {
    const { learn, node, place } = this.#init

    try {
      const { isWatched, record } = await node.inTime(peer, this.#watch(peer, role, this))
      record && learn(record)
      isWatched && this.isCancelled && node.channel.unwatch(peer, place)
      return isWatched && !this.isCancelled
    } catch {
      return false
    }
  }

  #watch(peer: PeerInfo, role: WatchRole, cancellation: CancellationToken): Promise<WatchReply> {
    const { known, node, place } = this.#init
    const { channel, numReplicas: closerCount } = node
    const digest = digestOf(known())
    return channel.watch(peer, place, { digest, closerCount, role, cancellation })
  }

  /** Takes in a reply, even a late one: it says whether the peer notifies. */
  #take(contact: PeerInfo, { isWatched, record, forwarders }: WatchReply): void {
    const { learn, node, place } = this.#init
    const name = contact.id.toString()

    if (!isWatched) {
      this.#forget(name)
    } else if (!this.isCancelled) {
      this.#replicas.set(name, contact)
    } else {
      node.channel.unwatch(contact, place)
    }

    if (forwarders.length > 0) {
      this.#named.set(name, forwarders)
    }

    if (record !== undefined) {
      learn(record)
    }
  }

  /** Replicas that notify at once. */
  #countPrompt(): number {
    return this.isForwarder
      ? this.#replicas.size
      : [...this.#prompt].filter((name) => this.#replicas.has(name)).length
  }

  /** Returns whether the peer notified until now. */
  #forget(name: string): boolean {
    this.#prompt.delete(name)
    return this.#replicas.delete(name)
  }

  #keep(nearest: readonly PeerInfo[]): void {
    const { node, place } = this.#init
    const names = new Set(nearest.map(({ id }) => id.toString()))

    for (const [name, contact] of this.#replicas) {
      if (!names.has(name)) {
        this.#forget(name)
        this.#gateways.has(name) || node.channel.unwatch(contact, place)
      }
    }
  }

  #distance(peer: PeerId): number {
    return roughDistance(this.#point, pointOfPeer(peer))
  }
}

/** Returns the first of each list, then the second, and so on, each peer once and without the replicas. */
function interleave(
  lists: readonly (readonly PeerInfo[])[],
  replicas: readonly PeerInfo[]
): PeerInfo[] {
  const peers = new Map<string, PeerInfo>()
  const known = new Set(replicas.map(({ id }) => id.toString()))

  for (let i = 0; lists.some(({ length }) => i < length); i++) {
    for (const peer of lists.flatMap((list) => list[i] ?? [])) {
      const name = peer.id.toString()
      known.has(name) || peers.set(name, peers.get(name) ?? peer)
    }
  }

  return [...peers.values()]
}
