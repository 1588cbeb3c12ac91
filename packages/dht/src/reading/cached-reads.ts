import type { Logger } from '@libp2p/interface'
import { type DHTRecord, type DHTTime, isEmpty, type SubkeyId } from '@waggle/record'
import type { Meter } from '../metrics/meter.ts'
import { placeName } from '../store/place-name.ts'
import { nameOf } from '../store/record-store.ts'
import type { CancellationToken } from '../timing/cancellation.ts'
import { ClockAlarm } from '../timing/clock-alarm.ts'
import type { CachePolicy } from './cache-policy.ts'
import type { KnownRecords } from './known-records.ts'
import { isSufficient, type Reading, type ReadOptions, shownUntil } from './reading.ts'
import { type Refresh, RefreshQueue } from './refresh-queue.ts'
import type { Replicas } from './replicas.ts'
import { SharedReads } from './shared-reads.ts'
import type { WriteResult } from './write-replies.ts'

export interface CachedReadsInit {
  readonly replicas: Replicas
  readonly policy: CachePolicy
  readonly log: Logger

  /** Counts where answers come from; undefined: they are not counted. */
  readonly meter?: Meter | undefined
}

/** Keys refreshed at once. */
const REFRESHES_AT_ONCE = 256

/**
 * Reads what this node knows, or else asks the nearest peers and remembers their answers. The policies are Hivemind's cache_locally, cache_nearest, cache_on_store, and
 * cache_refresh_before_expiry. A `latest` read always asks the network.
 */
export class CachedReads {
  readonly #init: CachedReadsInit
  readonly #known: KnownRecords
  readonly #searches: SharedReads
  readonly #refreshes: RefreshQueue
  readonly #alarm = new ClockAlarm(
    () => this.#clock(),
    () => void this.refreshDue()
  )
  #hits = 0

  constructor(init: CachedReadsInit) {
    this.#init = init
    this.#known = init.replicas.known
    this.#searches = new SharedReads({
      replicas: init.replicas,
      clock: this.#known.store.clock,
      onReading: (key, reading, subkey) => this.#onReading(key, reading, subkey)
    })
    this.#refreshes = new RefreshQueue({
      leadTime: init.policy.refreshBeforeExpiry,
      maxRecords: init.policy.size,
      isCached: (key, subkey) => this.#known.isCached(key, subkey)
    })
  }

  /** Reads answered by the cache. */
  get hits(): number {
    return this.#hits
  }

  /** Keys that wait to be refreshed. */
  get refreshes(): number {
    return this.#refreshes.size
  }

  /** Returns a record synchronously if this node knows it well enough. */
  read(key: Uint8Array, options: ReadOptions): DHTRecord | Promise<DHTRecord> {
    const remembered = this.#remembered(key, options)

    if (remembered === undefined) {
      this.#init.meter?.read('network')
    }

    return remembered ?? this.#searches.read(placeName(key, options.subkey), key, options)
  }

  /** Learns the outcome of a write by this node: it is held, or something else beats it. */
  onWritten(
    key: Uint8Array,
    write: DHTRecord,
    { outcome, winner }: Pick<WriteResult, 'outcome' | 'winner'>
  ): void {
    const { policy } = this.#init
    const isKnown = this.#known.isCached(key)
    const isWhole = write.subkeys.size === 0
    const isAccepted = outcome === 'held'
    const learned = isAccepted ? write : winner

    if (learned !== undefined) {
      const isPart = learned.subkeys.size > 0
      this.#known.learn(key, learned, policy.onStore && (isKnown || !isPart))

      if (isPart && !isKnown) {
        this.#known.learnPart(key, learned, policy.onStore)
      }
    }

    if (policy.onStore && isKnown && !(isAccepted && isWhole) && policy.refreshBeforeExpiry > 0) {
      // Others have written to the same key, or hold something later: the cached record is out of date.
      this.#refreshes.expedite(nameOf(key), key, this.#clock())
      this.#watch()
    }
  }

  /** Learns a change that a watch delivers, together with everything that the watch knows: of a key, or of a subkey. */
  onWatched(key: Uint8Array, change: DHTRecord, all: DHTRecord, subkey?: SubkeyId): void {
    const { locally } = this.#init.policy
    const isKnown = this.#known.isCached(key)

    if (subkey === undefined) {
      this.#known.learn(key, isKnown ? change : all, isKnown || locally)
    } else {
      this.#known.learnPart(key, all, locally)
    }
  }

  /** Refreshes the records that are due. A timer calls it; it resolves when all are refreshed. */
  async refreshDue(): Promise<void> {
    const due = this.#refreshes.take(this.#clock(), REFRESHES_AT_ONCE)
    await Promise.all(due.map((refresh) => this.#refresh(refresh)))
    this.#watch()
  }

  /** Cancels all refreshes. */
  close(): void {
    this.#alarm.stop()
  }

  /** Returns the record that this node stores or caches, if it is good enough. */
  #remembered(key: Uint8Array, options: ReadOptions): DHTRecord | undefined {
    const { subkey } = options
    const now = this.#clock()
    const { record: known, isByCache } = this.#known.get(key, subkey)

    if (this.#known.isDoubted || !isSufficient(known, options, now)) {
      return undefined
    }

    this.#init.meter?.read(isByCache ? 'cache' : 'store')

    if (isByCache) {
      this.#hits++
      this.#onUsed(key, subkey, shownUntil(known, subkey, now) ?? now)
    }

    return known
  }

  #onUsed(key: Uint8Array, subkey: SubkeyId | undefined, expirationTime: DHTTime): void {
    if (this.#init.policy.refreshBeforeExpiry > 0) {
      const name = placeName(key, subkey)
      this.#refreshes.plan({ name, key, subkey, expirationTime }, this.#clock())
      this.#watch()
    }
  }

  /** Fetches a record again, unless the cached one has changed since it was read. */
  async #refresh({ name, key, subkey, expirationTime }: Refresh): Promise<void> {
    const { policy, log } = this.#init
    const now = this.#clock()
    const { record: known, isByCache } = this.#known.get(key, subkey)
    const knownUntil = shownUntil(known, subkey, now) ?? now

    if (expirationTime !== undefined && !(isByCache && knownUntil === expirationTime)) {
      return
    }

    const sufficientExpirationTime = knownUntil + policy.refreshBeforeExpiry + 1

    try {
      const options = { cancellation: ALWAYS, sufficientExpirationTime, subkey }
      await this.#searches.read(name, key, options)
    } catch (error) {
      log('could not refresh a cached record - %e', error)
    }
  }

  #onReading(key: Uint8Array, reading: Reading, subkey: SubkeyId | undefined): void {
    const { replicas, log } = this.#init

    if (reading.behind.length > 0) {
      replicas
        .repair(key, reading)
        .catch((error) => log('could not repair all replicas - %e', error))
    }

    if (isEmpty(reading.record)) {
      return
    }

    if (subkey === undefined) {
      this.#remember(key, reading)
    } else {
      this.#known.learnPart(key, reading.record, this.#init.policy.locally)
    }
  }

  #remember(key: Uint8Array, { record, without }: Reading): void {
    const { policy, replicas } = this.#init
    this.#known.learn(key, record, policy.locally || this.#known.isCached(key))

    if (this.#known.cache !== undefined && without.length > 0) {
      replicas.cacheOnPath(key, record, without.slice(0, policy.nearest))
    }
  }

  #clock(): DHTTime {
    return this.#known.store.clock()
  }

  #watch(): void {
    const time = this.#refreshes.nextTime

    if (time !== undefined) {
      this.#alarm.at(time)
    }
  }
}

const ALWAYS: CancellationToken = { isCancelled: false }
