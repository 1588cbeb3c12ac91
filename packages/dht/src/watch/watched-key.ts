import type { PeerId, PeerInfo } from '@libp2p/interface'
import { type DHTRecord, type DHTTime, EMPTY_RECORD, isEmpty, join } from '@waggle/record'
import { encodedSize, prune } from '@waggle/record/replica'
import { HEDGE_MS } from '../constants.ts'
import { type Point, pointOfKey, pointOfPeer, roughDistance } from '../peers/key-space.ts'
import type { Replicas } from '../reading/replicas.ts'
import { digestOf } from '../store/record-digest.ts'
import type { RecordStore } from '../store/record-store.ts'
import { Alarm } from '../timing/alarm.ts'
import type { CancellationToken } from '../timing/cancellation.ts'
import { KeyRelays } from './key-relays.ts'
import { PROMPT_REPLICAS, RENEW_MS, RENEWALS_PER_LOOK, SETTLE_MS } from './limits.ts'
import { firstExpiration, isSameShown, NOTHING_SHOWN, type Shown, shownOf } from './shown.ts'
import type { SubscriberRole } from './subscribers.ts'
import type { ChangeChannel, WatchReply } from './watch-client.ts'
import type { Watched } from './watch-iterator.ts'

/** Who wants to know of a key. */
export interface Watcher {
  /** Something may have changed. */
  look(): void
}

export interface WatchedKeyInit {
  readonly key: Uint8Array
  readonly store: RecordStore
  readonly replicas: Pick<Replicas, 'ask'>

  /** Rejects when a peer does not answer in time. */
  readonly inTime: <T>(peer: PeerInfo, answer: Promise<T>) => Promise<T>
  readonly channel: ChangeChannel

  /** Hears of what is delivered: a change, and all that is known with it. */
  readonly onLearned: (key: Uint8Array, change: DHTRecord, all: DHTRecord) => void
  readonly numReplicas: number

  /** Joins what all replicas hold, and looks further where they hold nothing. */
  readonly readLatest: (key: Uint8Array, cancellation: CancellationToken) => Promise<DHTRecord>

  /** Something else is known now. */
  readonly onChange: (watched: WatchedKey) => void

  /** A record has come in that changes what is known. */
  readonly onNews: (record: DHTRecord) => void

  /** Nobody wants to know any more. */
  readonly onUnused: (watched: WatchedKey) => void
}

/**
 * One key, for all iterators of it in this process: its record as far as known, and the replicas that notify.
 * Their records are joined (R5), so it does not matter who sends one, how often, or in what order.
 */
export class WatchedKey implements Watched, CancellationToken {
  readonly key: Uint8Array
  readonly #init: WatchedKeyInit
  readonly #point: Point
  readonly #watchers = new Set<Watcher>()

  /** Replicas that notify of changes. */
  readonly #notifying = new Map<string, PeerInfo>()
  readonly #relays: KeyRelays

  /** Relays that full replicas have named, each in the order in which they are to be asked. */
  readonly #named: (readonly PeerInfo[])[] = []

  /** When relays were looked for in vain. */
  #soughtMs = Number.NEGATIVE_INFINITY

  /** Replicas that are to notify at once. */
  readonly #prompt = new Set<string>()
  readonly #settling = new Alarm(() => this.#settle())
  #shown: Shown = NOTHING_SHOWN
  #shownUntil: DHTTime = Number.POSITIVE_INFINITY
  #losses = 0

  /** Since the last look at all replicas. */
  #renewals = 0
  #lostMs = Number.NEGATIVE_INFINITY

  record: DHTRecord = EMPTY_RECORD
  isSettled = false
  isCancelled = false
  isLooking = false

  /** Whether a look has begun. */
  hasLooked = false

  /** Whether others depend on what is learnt here. Then it comes from replicas, not from other relays. */
  isRelay = false

  constructor(init: WatchedKeyInit) {
    this.#init = init
    this.key = init.key
    this.#point = pointOfKey(init.key)
    this.#relays = new KeyRelays({
      ask: (relay) => this.#askRelay(relay),
      unwatch: (relay) => init.channel.unwatch(relay, init.key)
    })
  }

  /** Whether any peer tells changes at once. */
  get isTold(): boolean {
    return this.#countPrompt() > 0 || this.#relays.size > 0
  }

  /** When what is shown expires first. */
  get shownUntil(): DHTTime {
    return this.#shownUntil
  }

  add(watcher: Watcher): void {
    this.#watchers.add(watcher)
  }

  leave(watcher: Watcher): void {
    if (this.#watchers.delete(watcher) && this.#watchers.size === 0) {
      this.#init.onUnused(this)
    }
  }

  shownAt(now: DHTTime): Shown {
    if (now >= this.#shownUntil) {
      this.#show(now)
    }

    return this.#shown
  }

  /** Takes in what somebody holds, or has written. */
  learn(record: DHTRecord): void {
    const { store } = this.#init
    const joined = join(this.record, record, store.limits)

    if (joined !== this.record && this.#hasRoom(joined)) {
      const now = store.clock()
      this.record = prune(joined, now)
      this.#show(now)
      this.#init.onNews(record)

      if (this.isSettled) {
        this.#init.onLearned(this.key, record, this.record)
        this.#deliver()
      } else {
        // Others may hold something later; but nobody is to wait for the slowest.
        this.#init.onChange(this)
        this.#settling.within(HEDGE_MS)
      }
    }
  }

  /** Time has passed. */
  expire(): void {
    const now = this.#init.store.clock()
    this.record = prune(this.record, now)
    this.shownAt(now)
    this.#deliver()
  }

  /**
   * Has the nearest peers tell changes from now on, and takes in what they hold by then; lets go of those
   * that are no longer nearest. Called again and again: it finds what was missed, and who has come.
   */
  async look(): Promise<void> {
    this.isLooking = true
    this.hasLooked = true

    try {
      const isEnough = await this.#renewRelays()

      if (!isEnough) {
        await this.#lookAtReplicas()
      }
    } finally {
      this.isLooking = false
      this.#settle()
    }
  }

  /**
   * A peer tells nothing any more. Says after how many milliseconds to look for another one: longer each
   * time if such losses don't end; undefined if it is no loss.
   */
  lost(peer: PeerId): number | undefined {
    const name = peer.toString()
    const isRelay = this.#relays.lose(name)

    if (!this.#forget(name) && !isRelay) {
      return undefined
    }

    if (isRelay) {
      this.#renewals = RENEWALS_PER_LOOK
    }

    const nowMs = performance.now()
    this.#losses = nowMs - this.#lostMs > RENEW_MS ? 0 : this.#losses + 1
    this.#lostMs = nowMs
    return Math.min(SETTLE_MS * 2 ** this.#losses, RENEW_MS)
  }

  /** Whether a peer should tell changes, and does not. */
  isNewReplica(peer: PeerId): boolean {
    if (this.#notifying.has(peer.toString()) || this.#relays.size > 0) {
      return false
    }

    const notifying = [...this.#notifying.values()].map(({ id }) => this.#distance(id))
    return (
      notifying.length < this.#init.numReplicas || this.#distance(peer) < Math.max(...notifying)
    )
  }

  /** Wants to know no more. */
  stop(): void {
    this.isCancelled = true
    this.#settling.stop()
    this.#keep([])
    this.#relays.drop()
  }

  /**
   * Renews what relays and replicas tell, without a look at the other replicas: these are full, and
   * relays are there to spare them. Says whether that is enough for now.
   */
  async #renewRelays(): Promise<boolean> {
    this.#renewals++

    if (this.isRelay || this.#relays.size === 0 || this.#renewals >= RENEWALS_PER_LOOK) {
      return false
    }

    const { inTime } = this.#init
    const replicas = [...this.#notifying.values()]
    await Promise.allSettled([
      ...replicas.map((replica) => inTime(replica, this.#ask(replica, 'watcher', this))),
      this.#relays.renew()
    ])
    return this.#relays.size > 0
  }

  async #lookAtReplicas(): Promise<void> {
    const { key, readLatest, replicas } = this.#init
    const role = this.isRelay ? 'relay' : 'watcher'
    this.#renewals = 0
    this.#named.length = 0
    const nearest = await replicas.ask(key, this, (contact, cancellation) =>
      this.#ask(contact, role, cancellation)
    )
    this.#keep(nearest)

    if (!this.isSettled && isEmpty(this.record)) {
      this.learn(await readLatest(key, this))
    }

    await this.#findRelays(nearest)
  }

  /** Finds relays where too few of the nearest peers tell changes at once, because they are full. */
  async #findRelays(nearest: readonly PeerInfo[]): Promise<void> {
    const isNeeded = this.#named.length > 0 && this.#countPrompt() < PROMPT_REPLICAS

    if (!isNeeded || this.isRelay || this.isCancelled) {
      this.#relays.drop()
      return
    }

    // Whoever waits for the first value has it from the replicas.
    this.#settle()
    const nowMs = performance.now()
    const isSoon = nowMs - this.#soughtMs < RENEW_MS
    await this.#relays.find(isSoon ? [] : relaysAmong(this.#named, nearest))
    this.#soughtMs = isSoon || this.#relays.size > 0 ? this.#soughtMs : nowMs
  }

  /** Replicas that tell changes at once. */
  #countPrompt(): number {
    return [...this.#prompt].filter((name) => this.#notifying.has(name)).length
  }

  async #ask(
    contact: PeerInfo,
    role: SubscriberRole,
    cancellation: CancellationToken
  ): Promise<WatchReply> {
    const name = contact.id.toString()

    try {
      const reply = await this.#init.channel.watch(contact, this.key, {
        digest: digestOf(this.record),
        closerCount: this.#init.numReplicas,
        isCoalesced: !this.#isPrompt(name) && role === 'watcher',
        ...{ role, cancellation }
      })
      this.#take(contact, reply)
      return reply
    } catch (error) {
      this.#forget(name)
      throw error
    }
  }

  /** Has a peer watch for this node, and says whether it does. */
  async #askRelay(relay: PeerInfo): Promise<boolean> {
    const { channel, inTime, key, numReplicas } = this.#init

    try {
      const asked = channel.watch(relay, key, {
        digest: digestOf(this.record),
        closerCount: numReplicas,
        ...{ isCoalesced: false, role: 'relayed', cancellation: this }
      })
      const { isWatched, record } = await inTime(relay, asked)
      record && this.learn(record)

      if (isWatched && this.isCancelled) {
        channel.unwatch(relay, key)
      }

      return isWatched && !this.isCancelled
    } catch {
      return false
    }
  }

  /** Whether a replica is one of those that tell at once: the first that were asked and have not failed. */
  #isPrompt(name: string): boolean {
    if (this.#prompt.size < PROMPT_REPLICAS) {
      this.#prompt.add(name)
    }

    return this.#prompt.has(name)
  }

  /** Takes in a reply, even a late one: it says whether the peer notifies. */
  #take(contact: PeerInfo, { isWatched, record, relays }: WatchReply): void {
    const name = contact.id.toString()

    if (relays.length > 0) {
      this.#named.push(relays)
    }

    if (!isWatched) {
      this.#forget(name)
    } else if (!this.isCancelled) {
      this.#notifying.set(name, contact)
    } else {
      this.#init.channel.unwatch(contact, this.key)
    }

    if (record !== undefined) {
      this.learn(record)
    }
  }

  /** Returns whether the peer notified until now. */
  #forget(name: string): boolean {
    this.#prompt.delete(name)
    return this.#notifying.delete(name)
  }

  #keep(nearest: readonly PeerInfo[]): void {
    const { channel, key } = this.#init
    const names = new Set(nearest.map(({ id }) => id.toString()))

    for (const [name, contact] of this.#notifying) {
      if (!names.has(name)) {
        this.#forget(name)
        channel.unwatch(contact, key)
      }
    }
  }

  /** Replicas that differ may hold more together than each of them can; but what liars tell has an end, too. */
  #hasRoom(record: DHTRecord): boolean {
    const { numReplicas, store } = this.#init
    return encodedSize(record) <= numReplicas * store.limits.maxRecordBytes
  }

  #settle(): void {
    if (!this.isSettled) {
      this.isSettled = true
      this.#init.onLearned(this.key, this.record, this.record)
      this.#deliver()
    }
  }

  /** Keeps the same object while a reader sees no difference, so that comparing is cheap. */
  #show(now: DHTTime): void {
    const shown = shownOf(this.record, now)
    this.#shown = isSameShown(shown, this.#shown) ? this.#shown : shown
    this.#shownUntil = firstExpiration(shown)
  }

  #deliver(): void {
    this.#init.onChange(this)

    for (const watcher of this.#watchers) {
      watcher.look()
    }
  }

  #distance(peer: PeerId): number {
    return roughDistance(this.#point, pointOfPeer(peer))
  }
}

/** Merges what replicas have named: the first of each of them, then the second. Replicas are no relays. */
function relaysAmong(
  named: readonly (readonly PeerInfo[])[],
  replicas: readonly PeerInfo[]
): PeerInfo[] {
  const relays = new Map<string, PeerInfo>()
  const length = Math.max(...named.map((each) => each.length))

  for (let i = 0; i < length; i++) {
    for (const relay of named.flatMap((each) => each[i] ?? [])) {
      relays.set(relay.id.toString(), relays.get(relay.id.toString()) ?? relay)
    }
  }

  for (const { id } of replicas) {
    relays.delete(id.toString())
  }

  return [...relays.values()]
}
