import {
  type DHTRecord,
  type DHTTime,
  EMPTY_RECORD,
  isEmpty,
  join,
  type SubkeyId
} from '@waggle/record'
import { encodedSize, newEntries, project, prune } from '@waggle/record/replica'
import { HEDGE_MS } from '../constants.ts'
import type { UnreachableError } from '../errors.ts'
import type { WatchProgressEvent } from '../live/state.ts'
import type { WatchedRecord } from '../reading/known-records.ts'
import type { FreshRecord } from '../reading/reading.ts'
import { placeName } from '../store/place-name.ts'
import type { RecordStore } from '../store/record-store.ts'
import type { KeyChange } from '../store/store-listeners.ts'
import { NEVER_FRESH } from '../store/stored-record.ts'
import { Alarm } from '../timing/alarm.ts'
import type { CancellationToken } from '../timing/cancellation.ts'
import { KeyStates, type Watched } from './key-states.ts'
import { RENEW_MS } from './limits.ts'
import { LookDelay } from './look-delay.ts'
import { Notifiers } from './notifiers.ts'
import type { NotifiersNode } from './replica-notifiers.ts'
import { firstExpiration, isSameShown, NOTHING_SHOWN, type Shown, shownOf } from './shown.ts'
import type { ForwardRole } from './watch-messages.ts'

/** A party that wants to know of a key. */
export interface Watcher {
  /** Something may have changed. */
  look(): void

  /** Whether the servers can be reached has changed. */
  report(event: WatchProgressEvent): void
}

export interface WatchedKeyInit extends NotifiersNode {
  readonly key: Uint8Array

  /** The only subkey that is watched. @default the whole key is */
  readonly subkey?: SubkeyId | undefined
  readonly store: RecordStore

  /** Called with each delivered change, and the whole known record. */
  readonly onLearned: (
    key: Uint8Array,
    change: DHTRecord,
    all: FreshRecord,
    subkey: SubkeyId | undefined
  ) => void

  /** Joins what all replicas hold, and looks further where they hold nothing. */
  readonly readLatest: (
    key: Uint8Array,
    cancellation: CancellationToken,
    subkey: SubkeyId | undefined
  ) => Promise<DHTRecord>

  /** Something else is known now. */
  readonly onChange: (watched: WatchedKey) => void

  /** Nobody wants to know any more. */
  readonly onUnused: (watched: WatchedKey) => void
}

/**
 * One key, or one subkey of it, for all iterators of it in this process: its record as far as known, and the peers that notify.
 * Their records are joined (R5), so it does not matter who sends one, how often, or in what order.
 */
export class WatchedKey implements Watched {
  readonly key: Uint8Array
  readonly subkey: SubkeyId | undefined

  /** Of the place. */
  readonly name: string
  readonly notifiers: Notifiers
  readonly lookDelay: LookDelay = new LookDelay()

  /** What its readers see. */
  readonly states: KeyStates
  readonly #init: WatchedKeyInit
  readonly #watchers = new Set<Watcher>()
  readonly #settling = new Alarm(() => this.#settle())
  #shown: Shown = NOTHING_SHOWN
  #shownUntil: DHTTime = Number.POSITIVE_INFINITY

  /** Set while too few of the nearest servers respond. */
  #error: UnreachableError | undefined

  /** Passes on what changes the record, for others. */
  #forward: ((change: KeyChange) => void) | undefined

  record: DHTRecord = EMPTY_RECORD
  isSettled = false
  hasLooked = false
  isLooking = false

  constructor(init: WatchedKeyInit) {
    this.#init = init
    const { key, subkey } = init
    this.key = key
    this.subkey = subkey
    this.name = placeName(key, subkey)
    this.notifiers = new Notifiers({
      ...{ place: { key, subkey }, node: init },
      known: () => this.record,
      learn: (record) => this.learn(record)
    })
    this.states = this.statesOf(subkey)
  }

  /** Whether nobody wants to know of the key any more. */
  get isStopped(): boolean {
    return this.notifiers.isCancelled
  }

  /** Whether too few of the nearest servers respond. */
  get isUnreachable(): boolean {
    return this.#error !== undefined
  }

  /** The time at which the first shown entry expires. */
  get shownUntil(): DHTTime {
    return this.#shownUntil
  }

  /** Returns the states for readers of the whole, or of one subkey. */
  statesOf(subkey: SubkeyId | undefined): KeyStates {
    const { checks, clock } = this.#init.store
    return new KeyStates({ ...{ checks, clock, subkey }, watched: this })
  }

  add(watcher: Watcher): void {
    this.#watchers.add(watcher)

    if (this.#error !== undefined) {
      watcher.report({ name: 'unreachable', error: this.#error })
    }
  }

  leave(watcher: Watcher): void {
    if (this.#watchers.delete(watcher)) {
      this.#endUnused()
    }
  }

  /** Watches for others, too, and calls back with what changes the record; undefined: no more. */
  forward(forward: ((change: KeyChange) => void) | undefined, role?: ForwardRole): void {
    this.#forward = forward
    this.notifiers.replicas.isForwarder = role === 'dependant'
    this.#endUnused()
  }

  shownAt(now: DHTTime): Shown {
    if (now >= this.#shownUntil) {
      this.#show(now)
    }

    return this.#shown
  }

  /** Takes in a record or a write, as far as it is watched. */
  learn(all: DHTRecord): void {
    const { subkey } = this
    const { store } = this.#init
    const before = this.record
    const record = subkey === undefined ? all : project(all, [subkey])
    const joined = join(before, record, store.limits)

    if (joined !== before && this.#hasRoom(joined)) {
      const now = store.clock()
      const added = newEntries(before, record)
      this.record = prune(joined, now)
      this.#show(now)
      this.#forward?.({ added, before })

      if (this.isSettled) {
        this.#remember(added)
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
   * Asks peers to notify, and takes in their present records. Further calls find missed changes and new peers.
   */
  async look(): Promise<void> {
    const { key, readLatest, subkey } = this.#init
    this.hasLooked = true
    this.isLooking = true

    try {
      if (this.isUnreachable || !(await this.notifiers.renewForwarders())) {
        const { error, isByGateways } = await this.notifiers.askAll()
        this.#report(isByGateways ? undefined : error)

        if (!this.isSettled && (isByGateways || isEmpty(this.record))) {
          this.learn(await readLatest(key, this.notifiers, subkey))
        }

        // Not where nobody answers: that nothing is there takes somebody to say so. Nor after forwarders are found.
        this.#settle()
        await this.notifiers.findForwarders()
      }
    } finally {
      this.isLooking = false
    }
  }

  /** Returns what `get` may rely on. */
  known(): WatchedRecord {
    const isTold = this.isSettled && !this.isUnreachable && this.notifiers.isToldByReplicas
    return {
      record: this.record,
      freshMs: this.isSettled ? this.notifiers.replicas.freshMs : NEVER_FRESH,
      noticeMs: isTold ? RENEW_MS : Number.POSITIVE_INFINITY
    }
  }

  /** Stops watching. The known record keeps its age. */
  stop(): void {
    if (this.isSettled) {
      this.#remember()
    }

    this.#settling.stop()
    this.notifiers.stop()
  }

  /** Reports to all watchers when too few servers can be reached, or enough again (N11). */
  #report(error: UnreachableError | undefined): void {
    const hasChanged = (error === undefined) !== (this.#error === undefined)
    this.#error = error

    for (const watcher of hasChanged ? this.#watchers : []) {
      watcher.report(error === undefined ? { name: 'reachable' } : { name: 'unreachable', error })
    }
  }

  #endUnused(): void {
    if (this.#watchers.size === 0 && this.#forward === undefined) {
      this.#init.onUnused(this)
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
      this.#remember()
      this.#deliver()
    }
  }

  #remember(change: DHTRecord = this.record): void {
    const { record, notifiers } = this
    this.#init.onLearned(
      this.key,
      change,
      { record, freshMs: notifiers.replicas.freshMs },
      this.subkey
    )
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
}
