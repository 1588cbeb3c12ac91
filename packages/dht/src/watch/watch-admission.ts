import type { PeerInfo } from '@libp2p/interface'
import { type Limits, parseRecordKey } from '@waggle/record'
import { pointOfKey } from '../peers/key-space.ts'
import type { Routing } from '../peers/routing.ts'
import { keyOf } from '../store/record-store.ts'
import type { KeyChange } from '../store/store-listeners.ts'
import type { Dependence, ForwardedKeys } from './forwarded-keys.ts'
import { chooseForwarders } from './forwarders.ts'
import {
  FORWARDERS_SHARE,
  MAX_REMOTE_WATCHES,
  MAX_REMOTE_WATCHES_PER_PEER,
  MAX_WATCHED_SUBKEYS,
  MAX_WATCHES,
  MAX_WATCHES_PER_PEER,
  WATCHERS_SHARE
} from './limits.ts'
import type { SubscriberStream, Subscription } from './subscriber-stream.ts'
import { Subscribers } from './subscribers.ts'
import { isForwarding, type WatchRole, type WatchState } from './watch-messages.ts'
import { WatchPlaces } from './watch-places.ts'

export interface AdmissionInit {
  readonly store: { readonly limits: Limits }

  /** For the peers that replies name. */
  readonly routing: Routing
  readonly numReplicas: number

  /** Peers notified of one key, besides as many forwarders. */
  readonly maxWatchersPerKey: number

  /** The keys that this node watches for others. */
  readonly forwarded: ForwardedKeys

  /** Called with each change of a key that this node watches for others. */
  readonly onForwarded: (name: string, change: KeyChange) => void

  /** Whether this node watches for peers that cannot reach the replicas. @default true */
  readonly serveGateway?: boolean

  /** Returns how many connections this node may have. @default any number */
  readonly maxConnections?: () => number

  /** Keys watched for all peers together. @default MAX_WATCHES */
  readonly maxWatches?: number
}

/** Places for keys that this node watches for peers that cannot reach their replicas. Each costs it a watch. */
const REMOTE_PLACES = {
  max: MAX_REMOTE_WATCHES,
  maxPerPeer: MAX_REMOTE_WATCHES_PER_PEER,
  role: 'remote'
} as const

/** Decides which peers are notified of which keys: of how many, and by whom if there is no room here. */
export class WatchAdmission {
  readonly #init: AdmissionInit
  readonly #subscribers = new Map<string, Subscribers<Subscription>>()
  readonly #places: WatchPlaces
  readonly #remotePlaces = new WatchPlaces(REMOTE_PLACES)

  constructor(init: AdmissionInit) {
    this.#init = init
    this.#places = new WatchPlaces({
      max: init.maxWatches ?? MAX_WATCHES,
      maxPerPeer: MAX_WATCHES_PER_PEER
    })
  }

  /** Keys and subkeys watched by others, counted once for each of them. */
  get size(): number {
    return this.#places.size
  }

  subscribersOf(name: string): Subscribers<Subscription> | undefined {
    return this.#subscribers.get(name)
  }

  /** Finds room for another key of the peer's, and for another peer of the key, or renews a subscription. */
  admit(subscription: Subscription): WatchState {
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
      this.release(subscription)
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
    return isCrowded && (isForwarding(role) || this.forwarders(key).length > 0)
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

  /** Returns peers that may forward changes of a key to a watcher. */
  forwarders(name: string): PeerInfo[] {
    const present = this.#subscribers.get(name)?.list('forwarder') ?? []
    const names = new Set(present.map(({ stream }) => stream.peer))
    const { maxWatchersPerKey: max } = this.#init
    return chooseForwarders(keyOf(name), { ...this.#init, present: names, max })
  }

  /** Watches a key for a peer. Returns whether it can rely on that. */
  #forward(name: string, dependence: Dependence): boolean {
    const { forwarded, onForwarded } = this.#init
    return forwarded.begin(name, (change) => onForwarded(name, change), dependence)
  }

  /** Releases an admitted subscription. */
  release(subscription: Subscription): void {
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
