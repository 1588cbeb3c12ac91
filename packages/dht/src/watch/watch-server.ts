import type { PeerId, PeerInfo } from '@libp2p/interface'
import {
  type DHTRecord,
  encodeRecord,
  isEmpty,
  type Limits,
  parseRecordKey,
  type SubkeyId
} from '@waggle/record'
import { project } from '@waggle/record/replica'
import { pointOfKey } from '../peers/key-space.ts'
import type { Routing } from '../peers/routing.ts'
import { keyOf, type RecordStore } from '../store/record-store.ts'
import { Alarm } from '../timing/alarm.ts'
import type { FramedStream } from '../wire/framed-stream.ts'
import type { ServedProtocol } from '../wire/protocol-server.ts'
import type { MessageCodec } from '../wire/schema.ts'
import type { Served } from '../wire/served.ts'
import type { Dependence, ForwardedKeys } from './forwarded-keys.ts'
import { chooseForwarders } from './forwarders.ts'
import {
  FORWARDERS_SHARE,
  LEASE_MS,
  MAX_REMOTE_WATCHES,
  MAX_REMOTE_WATCHES_PER_PEER,
  MAX_WATCHED_SUBKEYS,
  MAX_WATCHES,
  MAX_WATCHES_PER_PEER,
  WATCHERS_SHARE
} from './limits.ts'
import { Notices } from './notices.ts'
import { SubscriberStream, type Subscription } from './subscriber-stream.ts'
import { Subscribers } from './subscribers.ts'
import {
  changedFrame,
  isForwarding,
  WATCH,
  WATCH_PROTOCOL,
  type WatchMessage,
  type WatchRole,
  type WatchState
} from './watch-messages.ts'
import { WatchPlaces } from './watch-places.ts'

export interface WatchServerInit {
  readonly store: RecordStore

  /** For the peers that replies name. */
  readonly routing: Routing
  readonly numReplicas: number

  /** Peers notified of one key, besides as many forwarders. */
  readonly maxWatchersPerKey: number

  /** The keys that this node watches for others. */
  readonly forwarded: ForwardedKeys

  /** Whether this node watches for peers that cannot reach the replicas. @default true */
  readonly serveGateway?: boolean

  /** Counts notices; undefined: they are not counted. */
  readonly served?: Served | undefined

  /** Returns how many connections this node may have. @default any number */
  readonly maxConnections?: () => number

  /** Keys watched for all peers together. @default MAX_WATCHES */
  readonly maxWatches?: number
}

/** Milliseconds between two looks at leases. */
const SWEEP_MS: number = LEASE_MS / 3

/** Places for keys that this node watches for peers that cannot reach their replicas. Each costs it a watch. */
const REMOTE_PLACES = {
  max: MAX_REMOTE_WATCHES,
  maxPerPeer: MAX_REMOTE_WATCHES_PER_PEER,
  role: 'remote'
} as const

/**
 * Notifies other peers of changes to what this node holds. A change is encoded once for all
 * subscribers, as the write itself, which costs the same in a small dictionary and in a large one.
 * Subscribers of single subkeys get their part of it, or nothing.
 */
export class WatchServer implements ServedProtocol<WatchMessage> {
  readonly id: string = WATCH_PROTOCOL
  readonly codec: MessageCodec<WatchMessage> = WATCH
  readonly #init: WatchServerInit
  readonly #subscribers = new Map<string, Subscribers<Subscription>>()
  readonly #open = new Set<SubscriberStream>()
  readonly #places: WatchPlaces
  readonly #remotePlaces = new WatchPlaces(REMOTE_PLACES)
  readonly #alarm = new Alarm(() => this.#sweep())
  readonly #notices: Notices<Subscription>

  constructor(init: WatchServerInit) {
    this.#init = init
    this.#places = new WatchPlaces({
      max: init.maxWatches ?? MAX_WATCHES,
      maxPerPeer: MAX_WATCHES_PER_PEER
    })
    this.#notices = new Notices({
      limits: init.store.limits,
      clock: init.store.clock,
      subscribersOf: (name) => this.#subscribers.get(name),
      send: (name, write, to) => this.#notify(name, write, to)
    })
    init.store.onWrite((name, write) => this.#notices.add(name, write))
  }

  /** Keys and subkeys watched by others, counted once for each of them. */
  get size(): number {
    return this.#places.size
  }

  serve(stream: FramedStream<WatchMessage>, peer: PeerId): SubscriberStream {
    const subscriber = new SubscriberStream({
      ...{ stream, peer, routing: this.#init.routing, numReplicas: this.#init.numReplicas },
      known: (key, subkey) =>
        subkey === undefined ? this.#known(key) : this.#knownPart(key, subkey),
      admit: (subscription) => this.#admit(subscription),
      forwarders: (key) => this.#forwarders(key),
      release: (subscription) => this.#release(subscription),
      onClose: () => this.#open.delete(subscriber)
    })
    this.#open.add(subscriber)
    this.#alarm.within(SWEEP_MS)
    return subscriber
  }

  /** Looks at no leases any more. */
  stop(): void {
    this.#alarm.stop()
    this.#notices.stop()
  }

  /** Returns the bytes of a record that is held, or was learned for others. */
  #known(name: string): Uint8Array | undefined {
    const { forwarded, store } = this.#init
    const learned = forwarded.encoded(name)
    // Replicas that differ may hold more together than one message may carry.
    const isSendable = learned !== undefined && learned.length <= store.limits.maxRecordBytes
    return isSendable ? learned : store.encoded(keyOf(name))
  }

  /** Returns the bytes of the same of one subkey. */
  #knownPart(name: string, subkey: SubkeyId): Uint8Array | undefined {
    const { forwarded, store } = this.#init
    const part = project(forwarded.record(name) ?? store.get(keyOf(name)), [subkey])
    return isEmpty(part) ? undefined : encodeRecord(part)
  }

  /** Finds room for another key of the peer's, and for another peer of the key, or renews a subscription. */
  #admit(subscription: Subscription): WatchState {
    const { key, role, stream } = subscription
    const subscribers = this.#subscribers.get(key) ?? new Subscribers()

    if (!subscribers.has(subscription)) {
      if (!isKey(keyOf(key), this.#init.store.limits)) {
        return 'refused'
      }

      if (this.#isCrowded(subscription) || this.#isFull(subscription, subscribers)) {
        return 'full'
      }

      if (!this.#isSpare(subscription, subscribers) || !this.#takePlace(stream, role)) {
        return 'refused'
      }

      subscribers.add(subscription, role)
      this.#subscribers.set(key, subscribers)
    }

    if (isForwarding(role) && !this.#forward(key, { peer: stream.peer, role })) {
      this.#release(subscription)
      return 'full'
    }

    return 'watched'
  }

  /** Whether a new peer would hold a connection that this node needs for others. */
  #isCrowded({ role, stream: { peer } }: Subscription): boolean {
    const share = role === 'forwarder' ? FORWARDERS_SHARE : WATCHERS_SHARE
    const maxPeers = share * (this.#init.maxConnections?.() ?? Number.POSITIVE_INFINITY)
    return !this.#places.has(peer) && this.#places.peers + 1 > maxPeers
  }

  #takePlace(subscriber: SubscriberStream, role: WatchRole): boolean {
    if (role !== 'remote') {
      return this.#places.take(subscriber)
    }

    if (this.#init.serveGateway === false || !this.#remotePlaces.take(subscriber)) {
      return false
    }

    const isTaken = this.#places.take(subscriber)
    isTaken || this.#remotePlaces.free(subscriber)
    return isTaken
  }

  /** Whether too many peers watch a key. If nobody could forward it, as in a small network, none are too many. */
  #isFull(
    { key, role, stream: { peer }, subkey }: Subscription,
    subscribers: Subscribers<Subscription>
  ): boolean {
    const { maxWatchersPerKey: max } = this.#init
    const forwarders = subscribers.count('forwarder')

    if (role === 'forwarder') {
      return forwarders >= max || subkey !== undefined || !this.#isNear(peer, key)
    }

    const isCrowded = subscribers.size - forwarders >= max && countOthers(subscribers, peer) >= max
    return isCrowded && (isForwarding(role) || this.#forwarders(key).length > 0)
  }

  /**
   * Whether a peer watches few enough subkeys of a key: a plain write causes a notice for each of them.
   */
  #isSpare({ stream, subkey }: Subscription, subscribers: Subscribers<Subscription>): boolean {
    const isOwn = (other: Subscription): boolean => other.stream === stream
    return (
      subkey === undefined ||
      subscribers.list('forwarder', false).filter(isOwn).length < MAX_WATCHED_SUBKEYS
    )
  }

  /** Whether a peer is one that replicas may name as a forwarder. Others can't take the places of these. */
  #isNear(peer: string, name: string): boolean {
    const { maxWatchersPerKey: max, numReplicas, routing } = this.#init
    const nearest = routing.nearest(pointOfKey(keyOf(name)), numReplicas + 2 * max)
    return nearest.some(({ id }) => id.toString() === peer)
  }

  #forwarders(name: string): PeerInfo[] {
    const present = this.#subscribers.get(name)?.list('forwarder') ?? []
    const names = new Set(present.map(({ stream }) => stream.peer))
    const { maxWatchersPerKey: max } = this.#init
    return chooseForwarders(keyOf(name), { ...this.#init, present: names, max })
  }

  /** Watches a key for a peer. Returns whether it can rely on that. */
  #forward(name: string, dependence: Dependence): boolean {
    const { forwarded } = this.#init
    return forwarded.begin(name, (change) => this.#notices.add(name, change), dependence)
  }

  #release(subscription: Subscription): void {
    const { key, stream } = subscription
    const subscribers = this.#subscribers.get(key)
    const role = subscribers?.delete(subscription)

    if (subscribers === undefined || role === undefined) {
      return
    }

    this.#places.free(stream)
    role === 'remote' && this.#remotePlaces.free(stream)

    if (isForwarding(role) && subscribers.count('dependant') + subscribers.count('remote') === 0) {
      this.#init.forwarded.end(key)
    }

    if (subscribers.size === 0) {
      this.#subscribers.delete(key)
    }
  }

  #notify(name: string, write: DHTRecord, subscribers: readonly Subscription[]): void {
    const concerned = subscribers.filter(({ subkey }) => concerns(write, subkey))
    const frameOf = memoized((subkey) => {
      const record = this.#told(name, write, subkey)
      return changedFrame({ key: keyOf(name), subkey, record })
    })

    for (const subscription of concerned) {
      const { stream, subkey } = subscription
      stream.notify(subscription, () => frameOf(subkey))
    }

    if (concerned.length > 0) {
      this.#init.served?.countChanges(concerned.length)
    }
  }

  /** Encodes a write for watchers of the key, or of a subkey. */
  #told(name: string, write: DHTRecord, subkey: SubkeyId | undefined): Uint8Array {
    return subkey === undefined
      ? this.#smaller(name, write)
      : encodeRecord(project(write, [subkey]))
  }

  /** All that is held, where several writes in one go have come to be more than is left of them. */
  #smaller(name: string, write: DHTRecord): Uint8Array {
    const bytes = encodeRecord(write)
    const known = write.subkeys.size > 1 ? this.#known(name) : undefined
    return known !== undefined && known.length < bytes.length ? known : bytes
  }

  #sweep(): void {
    for (const subscriber of this.#open) {
      subscriber.sweep()
    }

    if (this.#open.size > 0) {
      this.#alarm.within(SWEEP_MS)
    }
  }
}

/** Whether a write can change the view: a plain one may erase any subkey (R4). */
function concerns({ plain, subkeys }: DHTRecord, subkey: SubkeyId | undefined): boolean {
  return subkey === undefined || plain !== undefined || subkeys.has(subkey)
}

/** Returns a function that makes the frame of each subkey once. */
function memoized(
  make: (subkey: SubkeyId | undefined) => Uint8Array | undefined
): (subkey: SubkeyId | undefined) => Uint8Array | undefined {
  const made = new Map<SubkeyId | undefined, Uint8Array | undefined>()

  return (subkey) => {
    const frame = made.has(subkey) ? made.get(subkey) : make(subkey)
    made.set(subkey, frame)
    return frame
  }
}

/** Counts peers besides one, and besides forwarders: each once, regardless of its subkeys. */
function countOthers(subscribers: Subscribers<Subscription>, peer: string): number {
  const peers = subscribers.list('forwarder', false).map(({ stream }) => stream.peer)
  return new Set(peers.filter((other) => other !== peer)).size
}

/** Whether anything could ever be stored under it. */
function isKey(bytes: Uint8Array, limits: Limits): boolean {
  try {
    parseRecordKey(bytes, limits)
    return true
  } catch {
    return false
  }
}
