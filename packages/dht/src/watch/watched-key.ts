import type { PeerId, PeerInfo } from '@libp2p/interface'
import { type DHTRecord, type DHTTime, EMPTY_RECORD, isEmpty, join } from '@waggle/record'
import { encodedSize, prune } from '@waggle/record/replica'
import { HEDGE_MS } from '../constants.ts'
import type { UnreachableError } from '../errors.ts'
import type { WatchProgressEvent } from '../live/state.ts'
import { type Point, pointOfKey, pointOfPeer, roughDistance } from '../peers/key-space.ts'
import type { Replicas } from '../reading/replicas.ts'
import { digestOf } from '../store/record-digest.ts'
import type { RecordStore } from '../store/record-store.ts'
import { Alarm } from '../timing/alarm.ts'
import type { CancellationToken } from '../timing/cancellation.ts'
import type { Watched } from './key-reader.ts'
import { PROMPT_REPLICAS, RENEW_MS, SETTLE_MS } from './limits.ts'
import { firstExpiration, isSameShown, NOTHING_SHOWN, type Shown, shownOf } from './shown.ts'
import type { ChangeChannel, WatchReply } from './watch-client.ts'

/** Who wants to know of a key. */
export interface Watcher {
  /** Something may have changed. */
  look(): void

  /** Whether the servers can be reached has changed. */
  report(event: WatchProgressEvent): void
}

export interface WatchedKeyInit {
  readonly key: Uint8Array
  readonly store: RecordStore
  readonly replicas: Pick<Replicas, 'ask'>
  readonly channel: ChangeChannel

  /** Hears of what is delivered: a change, and all that is known with it. */
  readonly onLearned: (key: Uint8Array, change: DHTRecord, all: DHTRecord) => void
  readonly numReplicas: number

  /** Joins what all replicas hold, and looks further where they hold nothing. */
  readonly readLatest: (key: Uint8Array, cancellation: CancellationToken) => Promise<DHTRecord>

  /** Something else is known now. */
  readonly onChange: (watched: WatchedKey) => void

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
  /** Replicas that are to notify at once. */
  readonly #prompt = new Set<string>()
  readonly #settling = new Alarm(() => this.#settle())
  #shown: Shown = NOTHING_SHOWN
  #shownUntil: DHTTime = Number.POSITIVE_INFINITY
  /** Set while too few of the nearest servers respond. */
  #error: UnreachableError | undefined
  #losses = 0
  #lostMs = Number.NEGATIVE_INFINITY

  record: DHTRecord = EMPTY_RECORD
  isSettled = false
  isCancelled = false
  isLooking = false

  constructor(init: WatchedKeyInit) {
    this.#init = init
    this.key = init.key
    this.#point = pointOfKey(init.key)
  }

  /** Whether too few of the nearest servers respond. */
  get isUnreachable(): boolean {
    return this.#error !== undefined
  }

  /** Whether any replica tells changes at once. */
  get isTold(): boolean {
    return [...this.#prompt].some((name) => this.#notifying.has(name))
  }

  /** When what is shown expires first. */
  get shownUntil(): DHTTime {
    return this.#shownUntil
  }

  add(watcher: Watcher): void {
    this.#watchers.add(watcher)

    if (this.#error !== undefined) {
      watcher.report({ name: 'unreachable', error: this.#error })
    }
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
    const { key, replicas, readLatest } = this.#init
    this.isLooking = true

    try {
      const { error, responded } = await replicas.ask(key, this, (contact, cancellation) =>
        this.#ask(contact, cancellation)
      )
      this.#keep(responded)
      this.#report(error)

      if (!this.isSettled && isEmpty(this.record)) {
        this.learn(await readLatest(key, this))
      }

      // Not where nobody answers: that nothing is there takes somebody to say so.
      this.#settle()
    } finally {
      this.isLooking = false
    }
  }

  /**
   * A peer tells nothing any more. Says after how many milliseconds to look for another one: longer each
   * time if such losses don't end; undefined if it is no loss.
   */
  lost(peer: PeerId): number | undefined {
    if (!this.#forget(peer.toString())) {
      return undefined
    }

    const nowMs = performance.now()
    this.#losses = nowMs - this.#lostMs > RENEW_MS ? 0 : this.#losses + 1
    this.#lostMs = nowMs
    return Math.min(SETTLE_MS * 2 ** this.#losses, RENEW_MS)
  }

  /** Whether a peer should tell changes, and does not. */
  isNewReplica(peer: PeerId): boolean {
    if (this.#notifying.has(peer.toString())) {
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
  }

  async #ask(contact: PeerInfo, cancellation: CancellationToken): Promise<WatchReply> {
    const name = contact.id.toString()

    try {
      const reply = await this.#init.channel.watch(contact, this.key, {
        digest: digestOf(this.record),
        closerCount: this.#init.numReplicas,
        isCoalesced: !this.#isPrompt(name),
        cancellation
      })
      this.#take(contact, reply)
      return reply
    } catch (error) {
      this.#forget(name)
      throw error
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
  #take(contact: PeerInfo, { isWatched, record }: WatchReply): void {
    const name = contact.id.toString()

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

  /** Tells all iterators when enough servers can be reached no longer, or again (N11). */
  #report(error: UnreachableError | undefined): void {
    const hasChanged = (error === undefined) !== (this.#error === undefined)
    this.#error = error

    for (const watcher of hasChanged ? this.#watchers : []) {
      watcher.report(error === undefined ? { name: 'reachable' } : { name: 'unreachable', error })
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
