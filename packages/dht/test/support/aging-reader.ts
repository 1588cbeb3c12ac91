import {
  type DHTRecord,
  EMPTY_RECORD,
  isEmpty,
  join,
  recordKey,
  subkeyRecord,
  view
} from '@waggle/record'
import { DEFAULT_NUM_REPLICAS } from '../../src/constants.ts'
import { LiveWatch } from '../../src/live/live-watch.ts'
import { type CacheOptions, type CachePolicy, cachePolicy } from '../../src/reading/cache-policy.ts'
import { CachedReads } from '../../src/reading/cached-reads.ts'
import { nameOf, RecordStore } from '../../src/store/record-store.ts'
import { ACTIVE } from './cancellation.ts'
import { turns } from './end-of-turn.ts'
import { manualClock } from './manual-clock.ts'
import { silentLog } from './silent-log.ts'
import {
  type SimulatedReplica,
  Simulation,
  type SimulationOptions,
  START
} from './simulated-replicas.ts'
import { SimulatedWatches } from './simulated-watches.ts'

const KEY = recordKey('key')

/** The options of one read. */
export interface Asked {
  readonly latest?: boolean
  readonly maxAge?: number | undefined
}

/** The result of a get, and the oldest state that it may show. */
export interface Got {
  /** The record read; undefined if no replica could be reached. */
  readonly record: DHTRecord | undefined

  /** The record of every replica at the time of the oldest allowed answer. */
  readonly oldest: DHTRecord

  /** Their records since. */
  readonly since: readonly DHTRecord[]

  /** All that this node has shown or written by then. */
  readonly seen: DHTRecord
}

/**
 * A node that reads and writes one key while all replicas change and other peers have copies of any age.
 */
export class AgingReader implements AsyncDisposable {
  readonly net: Simulation
  readonly reads: CachedReads
  readonly #watches: SimulatedWatches
  readonly #policy: CachePolicy
  readonly #isClient: boolean
  readonly #replicas: readonly SimulatedReplica[]
  readonly #states: { readonly time: number; readonly record: DHTRecord }[] = []
  #watching: LiveWatch<unknown, unknown, unknown, boolean> | undefined
  #seen: DHTRecord = EMPTY_RECORD

  constructor(options: SimulationOptions, policy: CacheOptions) {
    const clock = manualClock(START)
    this.net = new Simulation(KEY, { clock, cache: new RecordStore({ clock }), ...options })
    const { self } = this.net
    this.#isClient = options.isReplica?.() === false
    this.#replicas = this.net.peers
      .filter((peer) => !this.#isClient || peer !== self)
      .slice(0, DEFAULT_NUM_REPLICAS)
    this.#policy = cachePolicy(policy)
    this.reads = new CachedReads({
      ...{ replicas: this.net.replicas, policy: this.#policy, log: silentLog }
    })
    this.#watches = new SimulatedWatches(this.net, (key, change, all) => {
      this.#see(all.record)
      this.reads.onWatched(key, change, all)
    })
  }

  get time(): number {
    return this.net.clock.time
  }

  /** Lets all replicas accept or refuse another peer's write. */
  async change(record: DHTRecord): Promise<void> {
    for (const { store } of this.#replicas) {
      store.apply(KEY, record)
    }

    this.#note()
    await turns(2)
  }

  /** Writes as this node, which learns of anything that beats the write. */
  async write(record: DHTRecord): Promise<void> {
    const beganMs = this.reads.nowMs()
    const result = await this.net.replicas.write(KEY, record, ACTIVE)
    this.reads.onWritten(KEY, record, { ...result, beganMs })
    this.#note()

    if (result.outcome === 'held') {
      this.#see(record)
    }
  }

  /** Gives a peer that is no replica a copy of the record of some seconds ago. */
  copy(rank: number, age: number): void {
    const { copies } = this.net.peer(rank)
    copies.apply(KEY, this.#at(this.time - age))
    copies.markFresh(nameOf(KEY), 1000 * (this.time - age))
  }

  /** Lets a stranger store an old record at this node. */
  push(age: number): void {
    this.net.self.store.apply(KEY, this.#at(this.time - age), 'stranger')
  }

  /**
   * Cuts a client off from all peers, or connects it again. A server would be a network of its own.
   */
  reach(isReached: boolean): void {
    for (const peer of this.#isClient ? this.net.peers : []) {
      peer.fails = isReached ? 'never' : 'always'
    }
  }

  async watch(): Promise<void> {
    await this.unwatch()
    const source = this.#watches.watches.statesOf(KEY)
    const { signal: lifetime } = new AbortController()
    const watching = new LiveWatch({ source, lifetime, clock: this.net.clock })
    this.#watching = watching
    void (async () => {
      for await (const _ of watching) {
        // The states are recorded as they are learned.
      }
    })()
    await turns(20)
  }

  /** Ends the streams of all replicas that notify this node. */
  lose(): void {
    for (const rank of this.#watches.tellers(KEY)) {
      this.#watches.lose(rank)
    }
  }

  async unwatch(): Promise<void> {
    await this.#watching?.stop()
    this.#watching = undefined
  }

  async pass(seconds: number): Promise<void> {
    this.net.clock.time += seconds
    await this.reads.renewDue()
    await turns(3)
  }

  async get({ latest = false, maxAge }: Asked): Promise<Got> {
    const age = latest ? 0 : (maxAge ?? this.#policy.maxAge)
    const [oldest, since] = [this.#at(this.time - age), this.#since(this.time - age)]
    const seen = this.#seen

    try {
      const options = { cancellation: ACTIVE, latest, maxAge }
      const record = await this.reads.read(KEY, options)
      this.#see(record)
      return { record, oldest, since, seen }
    } catch {
      return { record: undefined, oldest, since, seen }
    } finally {
      await turns(3)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.unwatch()
    this.#watches.watches.stop()
    this.reads.close()
  }

  /** Returns the record of every replica at a time. */
  #at(time: number): DHTRecord {
    return this.#states.findLast((state) => state.time <= time)?.record ?? EMPTY_RECORD
  }

  #since(time: number): DHTRecord[] {
    return this.#states.filter((state) => state.time > time).map(({ record }) => record)
  }

  #note(): void {
    const [first] = this.#replicas
    this.#states.push({ time: this.time, record: first?.store.get(KEY) ?? EMPTY_RECORD })
  }

  #see(record: DHTRecord): void {
    this.#seen = join(this.#seen, record)
  }
}

/** Returns a reader's view of a record, and of the same record joined with another one. */
export function shownWith(record: DHTRecord, other: DHTRecord, time: number): [unknown, unknown] {
  return [shown(record, time), shown(join(record, other), time)]
}

/** Returns a reader's view of a record. */
export function shown(record: DHTRecord, time: number): unknown {
  return isEmpty(record) ? undefined : view(record, time)?.value
}

/** Makes a record of one subkey whose value is the time of the write. */
export function entry(subkey: string, value: number, expirationTime: number): DHTRecord {
  return subkeyRecord(subkey, value, expirationTime)
}
