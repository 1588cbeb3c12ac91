import type { Found, WatchOptions } from '@waggle/dht'
import type { Watch } from '@waggle/dht/handles'
import { type DHTRecord, plainRecord, recordKey, type Subkey, type Value } from '@waggle/record'
import { expect, vi } from 'vitest'
import { LiveWatch } from '../../src/live/live-watch.ts'
import { type Collected, collected } from './collected.ts'
import { Simulation, type SimulationOptions, START } from './simulated-replicas.ts'
import { SimulatedWatches } from './simulated-watches.ts'

export const KEY: Uint8Array = recordKey('key')

/** Milliseconds that pass at a time. */
const STEP_MS = 50

/** A simulated network, this node's watches, and manual time. */
export class WatchScene implements Disposable {
  readonly net: Simulation
  readonly simulated: SimulatedWatches
  readonly lifetime: AbortController = new AbortController()

  constructor(options: Partial<SimulationOptions> = {}) {
    vi.useFakeTimers({
      toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'performance']
    })
    this.net = new Simulation(KEY, { size: 8, ...options })
    this.simulated = new SimulatedWatches(this.net)
  }

  watching<R extends boolean = false>(
    options: WatchOptions<R> = {},
    key: Uint8Array = KEY
  ): Watch<Found | undefined, Subkey | undefined, Value, R> {
    return new LiveWatch({
      ...options,
      source: this.simulated.watches.statesOf(key),
      clock: this.net.clock,
      lifetime: this.lifetime.signal
    })
  }

  /** Starts a watch, and waits until replicas notify. */
  async begun(options: WatchOptions = {}): Promise<Collected> {
    const loop = collected(this.watching(options))
    await this.pass(200)
    return loop
  }

  /** Watches a key that holds nothing, and takes the first event. */
  async begunEmpty(): Promise<Collected> {
    const loop = await this.begun()
    expect(await loop.next()).toBeUndefined()
    return loop
  }

  /** Lets time pass for the clock and the timers, and runs all that is due by then. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= STEP_MS) {
      this.net.clock.time += Math.min(left, STEP_MS) / 1000
      await vi.advanceTimersByTimeAsync(Math.min(left, STEP_MS))
    }
  }

  write(ranks: readonly number[], record: DHTRecord): void {
    for (const rank of ranks) {
      this.net.peer(rank).store.apply(KEY, record)
    }
  }

  /** The ranks of the notifying peers. */
  get tellers(): number[] {
    return this.simulated.tellers(KEY)
  }

  [Symbol.dispose](): void {
    this.lifetime.abort()
    vi.useRealTimers()
  }
}

/** Makes a record with a value and a lifetime. */
export function value(of: string, seconds = 1000): DHTRecord {
  return plainRecord(of, START + seconds)
}
