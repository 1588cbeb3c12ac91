import type { DHTRecord } from '@waggle/record'
import { type CacheOptions, cachePolicy } from '../../src/reading/cache-policy.ts'
import { type CachedReadOptions, CachedReads } from '../../src/reading/cached-reads.ts'
import { RecordStore } from '../../src/store/record-store.ts'
import { ACTIVE } from './cancellation.ts'
import { turns } from './end-of-turn.ts'
import { manualClock } from './manual-clock.ts'
import { silentLog } from './silent-log.ts'
import { Simulation, type SimulationOptions, START } from './simulated-replicas.ts'

/** A node of a simulated network with a cache, seen from one key. */
export class SimulatedCache {
  readonly net: Simulation
  readonly cache: RecordStore
  readonly reads: CachedReads
  readonly #key: Uint8Array

  constructor(
    key: Uint8Array,
    { size = 12, ...simulation }: Partial<SimulationOptions> = {},
    policy: CacheOptions = {}
  ) {
    this.#key = key
    const clock = manualClock(START)
    this.cache = new RecordStore({ clock, maxRecords: policy.size })
    this.net = new Simulation(key, { size, clock, cache: this.cache, ...simulation })
    const { replicas } = this.net
    this.reads = new CachedReads({
      ...{ replicas, log: silentLog },
      policy: cachePolicy(policy)
    })
  }

  /** Stores a record at the peers of these ranks. */
  put(record: DHTRecord, ...ranks: readonly number[]): void {
    for (const rank of ranks) {
      this.net.peer(rank).store.apply(this.#key, record)
    }
  }

  /** Reads the key. Resolves with the record and the number of peers asked. */
  async read(
    options: Partial<CachedReadOptions> = {}
  ): Promise<{ record: DHTRecord; asked: number }> {
    const before = this.#asked
    const record = await this.reads.read(this.#key, { cancellation: ACTIVE, ...options })
    const asked = this.#asked - before
    await turns()
    return { record, asked }
  }

  /** Writes as a caller on this node does. Resolves with whether the write was accepted. */
  async write(record: DHTRecord): Promise<boolean> {
    const result = await this.net.replicas.write(this.#key, record, ACTIVE)
    this.reads.onWritten(this.#key, record, result)
    return result.outcome === 'held'
  }

  /** Lets time pass until a moment, in small steps. Resolves with the number of peers asked. */
  async passUntil(time: number): Promise<number> {
    const before = this.#asked

    while (this.net.clock.time < time) {
      this.net.clock.time = Math.min(time, this.net.clock.time + 0.125)
      await this.refreshed()
    }

    return this.#asked - before
  }

  /** Resolves when all due refreshes have ended, those that a timer began included. */
  async refreshed(): Promise<void> {
    await this.reads.renewDue()
    await turns(10)
  }

  get #asked(): number {
    return this.net.ranks('find').length
  }
}
