import type { Logger } from '@libp2p/interface'
import {
  type DHTRecord,
  decodeRecord,
  encodeRecord,
  isEmpty,
  join,
  shownExpiration,
  subsumes
} from '@waggle/record'
import { toString as stringOf } from 'uint8arrays/to-string'
import type { Wanted } from '../interface.ts'
import {
  isSufficient,
  type Reading,
  type ReadOptions,
  type Replicas
} from '../replicas/replicas.ts'
import type { RecordStore } from '../store/record-store.ts'
import { Alarm } from '../timing/alarm.ts'
import type { CachePolicy } from './cache-policy.ts'
import { RefreshQueue } from './refresh-queue.ts'
import { SharedReads } from './shared-reads.ts'

export interface CachedReadsInit {
  readonly replicas: Replicas

  /** What this node holds as a replica. */
  readonly store: RecordStore

  /** What it remembers of others; undefined: nothing. */
  readonly cache: RecordStore | undefined
  readonly policy: CachePolicy
  readonly log: Logger
}

/** How many keys are fetched again at once. Hivemind's chunk_size. */
const REFRESHES_AT_ONCE = 16

/**
 * Reads from what this node knows, or else from the nearest peers, and remembers what these said.
 * The policies are Hivemind's cache_locally, cache_nearest, cache_on_store, and
 * cache_refresh_before_expiry. A `latest` read always asks the network.
 */
export class CachedReads {
  readonly #init: CachedReadsInit
  readonly #searches: SharedReads
  readonly #refreshes = new RefreshQueue()
  readonly #alarm = new Alarm(() => void this.refreshDue())
  #hits = 0

  constructor(init: CachedReadsInit) {
    this.#init = init
    this.#searches = new SharedReads({
      replicas: init.replicas,
      clock: init.store.clock,
      onReading: (key, reading) => this.#onReading(key, reading)
    })
  }

  /** How many reads the cache has answered. */
  get hits(): number {
    return this.#hits
  }

  async read(key: Uint8Array, options: ReadOptions): Promise<DHTRecord> {
    return this.#remembered(key, options) ?? this.#searches.read(nameOf(key), key, options)
  }

  /** Takes note of what became of a write of this node's own. */
  onWritten(key: Uint8Array, write: DHTRecord, isAccepted: boolean): void {
    const { cache, policy } = this.#init

    if (cache === undefined || !policy.onStore) {
      return
    }

    const isKnown = !isEmpty(cache.get(key))
    const isWhole = write.subkeys.size === 0

    if (isAccepted && (isKnown || isWhole)) {
      cache.apply(key, write)
    }

    if (isKnown && !(isAccepted && isWhole)) {
      // Others have written to it, too, or something later is there: it is no longer what we know.
      this.#refreshAt(key, cache.clock())
    }
  }

  /** Fetches again what is due. Called by a timer; resolves when it is done. */
  async refreshDue(): Promise<void> {
    const { cache, policy, log } = this.#init

    if (cache === undefined) {
      return
    }

    const due = this.#refreshes.take(cache.clock(), REFRESHES_AT_ONCE)

    await Promise.all(
      due.map(async ({ name, key }) => {
        const now = cache.clock()
        const known = shownExpiration(cache.get(key), now) ?? now
        const sufficientExpirationTime = known + policy.refreshBeforeExpiry + 1

        try {
          await this.#searches.read(name, key, { wanted: ALWAYS, sufficientExpirationTime })
        } catch (error) {
          log('could not refresh a cached record - %e', error)
        }
      })
    )
    this.#watch()
  }

  /** Forgets what is to be fetched again. */
  close(): void {
    this.#alarm.stop()
  }

  /** What this node holds or remembers, if that is good enough. */
  #remembered(key: Uint8Array, options: ReadOptions): DHTRecord | undefined {
    const { store, cache } = this.#init
    const now = store.clock()
    const held = store.get(key)

    if (isSufficient(held, options, now)) {
      return held
    }

    const cached = cache?.get(key)
    const known = cached === undefined || isEmpty(cached) ? held : join(held, cached, store.limits)

    if (!isSufficient(known, options, now)) {
      return undefined
    }

    this.#hits++
    this.#refreshAt(
      key,
      (shownExpiration(known, now) ?? now) - this.#init.policy.refreshBeforeExpiry
    )
    return known
  }

  #onReading(key: Uint8Array, reading: Reading): void {
    const { replicas, log } = this.#init

    if (reading.behind.length > 0) {
      replicas
        .repair(key, reading)
        .catch((error) => log('could not repair all replicas - %e', error))
    }

    if (!isEmpty(reading.record)) {
      this.#remember(key, reading)
    }
  }

  #remember(key: Uint8Array, { record, without }: Reading): void {
    const { cache, policy, replicas, store } = this.#init

    if (cache !== undefined && policy.local && !subsumes(store.get(key), record, store.limits)) {
      // Read anew: what is in it are views of a whole message.
      cache.apply(key, decodeRecord(encodeRecord(record)))
    }

    if (cache !== undefined && without.length > 0) {
      replicas.lend(key, record, without.slice(0, policy.nearest))
    }
  }

  #refreshAt(key: Uint8Array, dueTime: number): void {
    if (this.#init.policy.refreshBeforeExpiry > 0) {
      this.#refreshes.add({ name: nameOf(key), key, dueTime })
      this.#watch()
    }
  }

  #watch(): void {
    const time = this.#refreshes.nextTime

    if (time !== undefined) {
      this.#alarm.within((time - this.#init.store.clock()) * 1000)
    }
  }
}

function nameOf(key: Uint8Array): string {
  return stringOf(key, 'latin1')
}

const ALWAYS: Wanted = { isWanted: true }
