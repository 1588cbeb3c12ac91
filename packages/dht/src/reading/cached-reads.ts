import type { Logger } from '@libp2p/interface'
import { type DHTRecord, type DHTTime, isEmpty, type SubkeyId } from '@waggle/record'
import { showsDictionary } from '@waggle/record/replica'
import type { Meter } from '../metrics/meter.ts'
import { placeName } from '../store/place-name.ts'
import { nameOf } from '../store/record-store.ts'
import { LONG_AGO } from '../store/stored-record.ts'
import type { CancellationToken } from '../timing/cancellation.ts'
import type { CachePolicy } from './cache-policy.ts'
import type { RereadsInit } from './due-reads.ts'
import type { KnownRecord, KnownRecords } from './known-records.ts'
import {
  type FreshRecord,
  isSufficient,
  type Reading,
  type ReadOptions,
  shownUntil
} from './reading.ts'
import { type Refresh, Refreshes } from './refreshes.ts'
import type { Replicas } from './replicas.ts'
import { type Revalidation, Revalidations } from './revalidations.ts'
import { SharedReads } from './shared-reads.ts'
import type { WriteResult } from './write-replies.ts'

export interface CachedReadsInit {
  readonly replicas: Replicas
  readonly policy: CachePolicy
  readonly log: Logger

  /** Counts where answers come from; undefined: they are not counted. */
  readonly meter?: Meter | undefined
}

/** The options for reading a record that may be remembered. */
export interface CachedReadOptions extends Omit<ReadOptions, 'minFreshMs'> {
  /** Seconds that it may be old. @default the policy's maxAge */
  readonly maxAge?: number | undefined
}

/** The outcome of a write. */
export interface WrittenRecord extends Pick<WriteResult, 'outcome' | 'winner'> {
  /** The time at which it began, in ms of the process's clock. @default now */
  readonly beganMs?: number
}

/**
 * Reads what this node knows, or else asks the nearest peers and remembers their answers (N5b). The policies are Hivemind's cache_locally, cache_nearest, cache_on_store, and
 * cache_refresh_before_expiry, and how old an answer may be. A `latest` read always asks the network.
 */
export class CachedReads {
  readonly #init: CachedReadsInit
  readonly #known: KnownRecords
  readonly #searches: SharedReads
  readonly #refreshes: Refreshes
  readonly #revalidations: Revalidations
  #hits = 0

  constructor(init: CachedReadsInit) {
    this.#init = init
    this.#known = init.replicas.known
    this.#searches = new SharedReads({
      replicas: init.replicas,
      clock: this.#known.store.clock,
      complete: (key, record, subkey) => this.#known.complete(key, record, subkey),
      onReading: (key, reading, subkey) => this.#onReading(key, reading, subkey)
    })
    const remembered: Pick<RereadsInit<never>, 'maxRecords' | 'isCached'> = {
      maxRecords: init.policy.size,
      isCached: (key, subkey) => this.#known.isCached(key, subkey)
    }
    this.#refreshes = new Refreshes({
      ...remembered,
      leadTime: init.policy.refreshBeforeExpiry,
      clock: () => this.#clock(),
      read: (refresh) => this.#refresh(refresh)
    })
    this.#revalidations = new Revalidations({
      ...remembered,
      after: init.policy.revalidateAfter,
      nowMs: this.#known.nowMs,
      read: (revalidation) => this.#revalidate(revalidation)
    })
  }

  /** Reads answered by the cache. */
  get hits(): number {
    return this.#hits
  }

  /** Returns the time of the process's clock, in ms. */
  nowMs(): number {
    return this.#known.nowMs()
  }

  /** Keys that wait to be refreshed, or checked at a replica. */
  get refreshes(): number {
    return this.#refreshes.size + this.#revalidations.size
  }

  /** Returns a record synchronously if this node knows it well enough. */
  read(key: Uint8Array, options: CachedReadOptions): DHTRecord | Promise<DHTRecord> {
    const { maxAge = this.#init.policy.maxAge } = options
    const minFreshMs = this.#minFreshMs(maxAge)
    const remembered = this.#remembered(key, options, { maxAge, minFreshMs })

    if (remembered !== undefined) {
      return remembered
    }

    this.#init.meter?.read('network')
    const { cancellation, latest, subkey, sufficientExpirationTime } = options
    const found = { cancellation, latest, subkey, sufficientExpirationTime, minFreshMs }
    return this.#searches.read(placeName(key, subkey), key, found)
  }

  /**
   * Learns the outcome of a write by this node: it is held, or another value beats it. A held plain value is all that
   * is shown: replicas have deleted the subkeys that this node may still know. A held subkey may be a part of the
   * record, which later reads join.
   */
  onWritten(
    key: Uint8Array,
    write: DHTRecord,
    { outcome, winner, beganMs = this.nowMs() }: WrittenRecord
  ): void {
    const { policy } = this.#init
    const isKnown = this.#known.isCached(key)
    const isAccepted = outcome === 'held'
    const isPlain = isAccepted && write.subkeys.size === 0
    const learned = isAccepted ? write : winner

    if (learned !== undefined) {
      const isCached = this.#known.isRemembered(key) || policy.onStore
      const [id] = write.subkeys.keys()
      const subkey = isAccepted && write.subkeys.size === 1 ? id : undefined
      const isFresh = isPlain || subkey !== undefined
      const fresh = isFresh && { freshMs: beganMs, isWritten: true }
      this.#known.learn(key, learned, { isCached, subkey, ...fresh })
    }

    if (isKnown && (!isPlain || showsDictionary(this.#known.get(key).record))) {
      // Others have written to the same key, or hold something later: the cached record is out of date.
      this.#revalidations.expedite({ name: nameOf(key), key })
    }
  }

  /** Learns a change that a watch delivers, together with everything that the watch knows: of a key, or of a subkey. */
  onWatched(
    key: Uint8Array,
    change: DHTRecord,
    { record, freshMs }: FreshRecord,
    subkey?: SubkeyId
  ): void {
    const isWhole = this.#known.isCachedWhole(key, subkey)
    const isCached = this.#known.isRemembered(key) || this.#init.policy.locally
    this.#known.learn(key, isWhole ? change : record, { isCached, freshMs, subkey })
  }

  /** Checks and refreshes the records that are due, as alarms do otherwise. Resolves when all are done. */
  async renewDue(): Promise<void> {
    await this.#revalidations.run()
    await this.#refreshes.run()
  }

  /** Cancels all checks and refreshes. */
  close(): void {
    this.#refreshes.stop()
    this.#revalidations.stop()
  }

  /** Returns the record that this node stores, caches or watches, if it is good enough. */
  #remembered(key: Uint8Array, options: CachedReadOptions, age: Age): DHTRecord | undefined {
    const { subkey } = options
    const known = this.#known.show(key, subkey)

    if (!this.#isSufficient(known, options, age) || this.#known.isDoubted) {
      return undefined
    }

    const isByCache = known.isByCache || isEmpty(known.record)
    this.#init.meter?.read(isByCache ? 'cache' : 'store')

    if (isByCache) {
      this.#hits++
      this.#onUsed(key, subkey, known)
    }

    return known.record
  }

  /**
   * Whether the answer is fresh enough. A watch knows the present, absence too, unless it may have missed a
   * change for too long.
   */
  #isSufficient(
    known: KnownRecord,
    options: CachedReadOptions,
    { maxAge, minFreshMs }: Age
  ): boolean {
    const isTold = known.noticeMs < 1000 * maxAge

    if (!isTold && known.freshMs < minFreshMs) {
      return false
    }

    const { latest, sufficientExpirationTime } = options
    const isAnyEnough = isTold && latest !== true && sufficientExpirationTime === undefined
    return isAnyEnough || isSufficient(known, options, this.#clock())
  }

  /** By when a record must have been all that a replica held. */
  #minFreshMs(maxAge: number): number {
    return Math.max(this.#known.nowMs() - 1000 * maxAge, LONG_AGO)
  }

  /** A record that no replica notifies of is refreshed in time. */
  #onUsed(
    key: Uint8Array,
    subkey: SubkeyId | undefined,
    { record, freshMs, noticeMs }: KnownRecord
  ): void {
    if (noticeMs < Number.POSITIVE_INFINITY) {
      return
    }

    const place = { name: placeName(key, subkey), key, subkey }
    this.#revalidations.plan(place, freshMs)

    if (this.#init.policy.refreshBeforeExpiry > 0) {
      const now = this.#clock()
      this.#refreshes.plan({ ...place, expirationTime: shownUntil(record, subkey, now) ?? now })
    }
  }

  /** Compares a record with a replica's, unless that has been done since. */
  async #revalidate({ name, key, subkey, knownMs }: Revalidation): Promise<void> {
    if (this.#known.get(key, subkey).freshMs > knownMs || !this.#known.isCached(key, subkey)) {
      return
    }

    const minFreshMs = this.#known.nowMs()
    await this.#readInBackground(name, key, { minFreshMs, subkey })
  }

  /** Fetches a record again, unless the cached one has changed since it was read. */
  async #refresh({ name, key, subkey, expirationTime }: Refresh): Promise<void> {
    const { policy } = this.#init
    const now = this.#clock()
    const { record: known, isByCache } = this.#known.get(key, subkey)
    const knownUntil = shownUntil(known, subkey, now) ?? now

    if (isByCache && knownUntil === expirationTime) {
      const sufficientExpirationTime = knownUntil + policy.refreshBeforeExpiry + 1
      await this.#readInBackground(name, key, { sufficientExpirationTime, subkey })
    }
  }

  async #readInBackground(
    name: string,
    key: Uint8Array,
    options: Omit<ReadOptions, 'cancellation'>
  ): Promise<void> {
    try {
      await this.#searches.read(name, key, { ...options, cancellation: IN_BACKGROUND })
    } catch (error) {
      this.#init.log('could not refresh a cached record - %e', error)
    }
  }

  #onReading(key: Uint8Array, reading: Reading, subkey: SubkeyId | undefined): void {
    const { replicas, log } = this.#init

    if (reading.behind.length > 0) {
      replicas
        .repair(key, reading)
        .catch((error) => log('could not repair all replicas - %e', error))
    }

    if (!isEmpty(reading.record)) {
      this.#remember(key, reading, subkey)
    }
  }

  #remember(
    key: Uint8Array,
    { record, freshMs, without }: Reading,
    subkey: SubkeyId | undefined
  ): void {
    const { policy, replicas } = this.#init
    const isCached = policy.locally || this.#known.isRemembered(key)
    this.#known.learn(key, record, { isCached, freshMs, subkey })

    if (this.#known.cache !== undefined && without.length > 0) {
      replicas.cacheOnPath(key, record, without.slice(0, policy.nearest))
    }
  }

  #clock(): DHTTime {
    return this.#known.store.clock()
  }
}

/** How old an answer may be. */
interface Age {
  /** Seconds. */
  readonly maxAge: number

  /** By when it must have been all that a replica held, in ms of the process's clock. */
  readonly minFreshMs: number
}

/** Nobody waits for these reads, and they let others pass. */
const IN_BACKGROUND: CancellationToken = { isCancelled: false, isBulk: true }
