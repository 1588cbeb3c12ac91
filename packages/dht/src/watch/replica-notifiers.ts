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
import { PROMPT_PEERS } from './limits.ts'
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

export interface ReplicaNotifiersInit extends NotifiersInit {
  /** Cancelled when nobody wants to know any more. */
  readonly cancellation: CancellationToken

  /** Whether a peer watches the key for this node as a gateway. */
  readonly isGateway: (name: string) => boolean
}

/** The nearest peers of a key that notify this node: the first two at once, and the others a moment later. */
export class ReplicaNotifiers {
  readonly #init: ReplicaNotifiersInit
  readonly #point: Point
  readonly #replicas = new Map<string, PeerInfo>()

  /** Replicas that are to notify at once. */
  readonly #prompt = new Set<string>()

  /** The nearest peers at the last look, and how near a peer has to be to be one of them. */
  #nearest: readonly PeerInfo[] = []
  #maxDistance = Number.POSITIVE_INFINITY

  /** Possible forwarders, named by each full replica. */
  readonly #named = new Map<string, readonly PeerInfo[]>()

  /** Time in ms of the process's clock by which all that the replicas held was known. */
  freshMs: number = NEVER_FRESH

  /** Whether this node forwards notices. Replicas then have other places for it. */
  isForwarder = false

  constructor(init: ReplicaNotifiersInit) {
    this.#init = init
    this.#point = pointOfKey(init.place.key)
  }

  has(name: string): boolean {
    return this.#replicas.has(name)
  }

  /** Replicas that notify at once. */
  get countPrompt(): number {
    return this.isForwarder
      ? this.#replicas.size
      : [...this.#prompt].filter((name) => this.#replicas.has(name)).length
  }

  /** Whether too few of the nearest peers notify at once because they are full. */
  get isFull(): boolean {
    return this.#named.size > 0 && this.countPrompt < (this.isForwarder ? 1 : PROMPT_PEERS)
  }

  /** Lists the forwarders that full replicas have named, in the order in which to ask them. */
  namedForwarders(): PeerInfo[] {
    return interleave([...this.#named.values()], this.#nearest)
  }

  /**
   * Asks the nearest peers to notify, and takes in their present records; releases peers that are no longer nearest.
   * Resolves with an error if too few of them respond.
   */
  async askAll(): Promise<UnreachableError | undefined> {
    const { cancellation, node, place } = this.#init
    const askedMs = node.known.nowMs()
    this.#named.clear()
    const { error, farthest, responded } = await node.replicas.ask(
      place.key,
      cancellation,
      (contact, asking) => this.#ask(contact, this.#roleAt(contact), asking)
    )
    this.#nearest = responded
    this.#maxDistance = farthest ? this.#distance(farthest.id) : Number.POSITIVE_INFINITY
    this.freshMs = error === undefined ? askedMs : this.freshMs
    this.keep(responded)
    await this.#promote()
    return error
  }

  /** Asks one of the replicas. Returns whether it is to notify: it has room, has failed, or knew more than forwarders. */
  async isAnyNeeded(): Promise<boolean> {
    const { cancellation, known, node } = this.#init
    const replica = this.#nearest[Math.floor(Math.random() * this.#nearest.length)]
    const before = known()

    if (replica === undefined) {
      return true
    }

    try {
      const asked = this.#ask(replica, 'prompt', cancellation)
      const { isWatched } = await node.inTime(replica, asked)
      return isWatched || known() !== before
    } catch {
      return true
    }
  }

  /** Whether a peer is a replica that was not asked. One that was asked may be full, or notify of nothing. */
  isNew(peer: PeerId): boolean {
    const isAsked = this.has(peer.toString()) || this.#nearest.some(({ id }) => id.equals(peer))
    return !isAsked && this.#distance(peer) < this.#maxDistance
  }

  /** Takes note that a peer notifies no more. Returns whether it did until now. */
  forget(name: string): boolean {
    this.#prompt.delete(name)
    return this.#replicas.delete(name)
  }

  /** Releases all but some peers. */
  keep(nearest: readonly PeerInfo[]): void {
    const { isGateway, node, place } = this.#init
    const names = new Set(nearest.map(({ id }) => id.toString()))

    for (const [name, contact] of this.#replicas) {
      if (!names.has(name)) {
        this.forget(name)
        isGateway(name) || node.channel.unwatch(contact, place)
      }
    }
  }

  /**
   * Asks other replicas to notify at once in place of those that are full, or not among the nearest.
   */
  async #promote(): Promise<void> {
    const { cancellation, node } = this.#init
    const missing = this.isForwarder ? 0 : PROMPT_PEERS - this.countPrompt
    const patient = [...this.#replicas].flatMap(([name, replica]) =>
      this.#prompt.has(name) ? [] : replica
    )
    await Promise.allSettled(
      patient
        .slice(0, missing)
        .map((replica) =>
          node.inTime(replica, this.#ask(replica, this.#roleAt(replica), cancellation))
        )
    )
  }

  /** The first replicas that are asked, and have not failed, are to notify at once. */
  #roleAt({ id }: PeerInfo): WatchRole {
    const name = id.toString()

    if (this.#init.isGateway(name)) {
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
      const reply = await watchAt(contact, role, { ...this.#init, cancellation })
      this.#take(contact, reply)
      return reply
    } catch (error) {
      this.forget(contact.id.toString())
      throw error
    }
  }

  /** Takes in a reply, even a late one: it says whether the peer notifies. */
  #take(contact: PeerInfo, { isWatched, record, forwarders }: WatchReply): void {
    const { cancellation, learn, node, place } = this.#init
    const name = contact.id.toString()

    if (!isWatched) {
      this.forget(name)
    } else if (!cancellation.isCancelled) {
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

  #distance(peer: PeerId): number {
    return roughDistance(this.#point, pointOfPeer(peer))
  }
}

/** Asks a peer to watch the key for this node, in a role. */
export function watchAt(
  peer: PeerInfo,
  role: WatchRole,
  { cancellation, known, node, place }: NotifiersInit & { cancellation: CancellationToken }
): Promise<WatchReply> {
  const { channel, numReplicas: closerCount } = node
  return channel.watch(peer, place, { digest: digestOf(known()), closerCount, role, cancellation })
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
