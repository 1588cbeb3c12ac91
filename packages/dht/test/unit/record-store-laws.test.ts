import { memoryUsage } from 'node:process'
import {
  type DHTRecord,
  encodeRecord,
  isEmpty,
  plainRecord,
  recordKey,
  subkeyRecord,
  tombstoneRecord
} from '@waggle/record'
import fc from 'fast-check'
import TinyQueue from 'tinyqueue'
import { describe, expect, it, vi } from 'vitest'
import { RecordStore } from '../../src/store/record-store.ts'
import { collectGarbage } from '../support/collect-garbage.ts'
import { law } from '../support/effort.ts'
import { manualClock } from '../support/manual-clock.ts'
import { type NaiveLimits, NaiveStore } from '../support/naive-store.ts'

const LAW = law(500)
const KEYS = [0, 1, 2, 3, 4].map((key) => recordKey('k'.repeat(key + 1)))
const keyBytes = (key: number): number => KEYS[key]?.length ?? 0

/** One action on a store. */
interface Step {
  readonly kind: 'value' | 'tombstone' | 'again' | 'sweep'
  readonly key: number
  readonly subkey: number | undefined
  readonly size: number
  readonly ttl: number
  readonly wait: number
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('value', 'value', 'value', 'tombstone', 'again', 'sweep'),
  key: fc.nat(KEYS.length - 1),
  subkey: fc.constantFrom(undefined, 0, 1, 2),
  size: fc.nat(60),
  ttl: fc.integer({ min: -1, max: 20 }),
  wait: fc.nat(3)
})

/**
 * Makes the write of a step. No two steps make records that expire at the same moment, so the order of eviction is
 * certain.
 */
function writeOf({ kind, subkey, size, ttl }: Step, now: number, index: number): DHTRecord {
  const expirationTime = now + ttl + index / 1024

  if (kind === 'tombstone') {
    return tombstoneRecord(expirationTime, { subkey })
  }

  const value = new Uint8Array(size)
  return subkey === undefined
    ? plainRecord(value, expirationTime)
    : subkeyRecord(subkey, value, expirationTime)
}

/** A store, its model, and all writes to both. */
class Pair {
  readonly clock = manualClock(1_000)
  readonly #store: RecordStore
  readonly #naive: NaiveStore
  readonly #written: { key: number; write: DHTRecord }[] = []

  constructor(limits: NaiveLimits) {
    this.#store = new RecordStore({ clock: this.clock, ...limits })
    this.#naive = new NaiveStore(limits, keyBytes)
  }

  take(step: Step, index: number): void {
    this.clock.time += step.wait

    if (step.kind === 'sweep') {
      this.#store.sweep()
      this.#naive.sweep(this.clock())
    } else {
      this.#write(step, index)
    }

    this.#compare()
  }

  #write(step: Step, index: number): void {
    const again = step.kind === 'again' ? this.#written.at(-1) : undefined
    const next = again ?? { key: step.key, write: writeOf(step, this.clock(), index) }
    const encoding = encodeRecord(next.write)
    const { isAccepted } = this.#store.apply(KEYS[next.key] as Uint8Array, next.write, '', encoding)

    this.#written.push(next)
    expect(isAccepted).toBe(this.#naive.apply(next.key, next.write, this.clock()))
  }

  #compare(): void {
    const { records, bytes } = this.#naive
    expect(this.#store).toMatchObject({ records, bytes })

    for (const [key, name] of KEYS.entries()) {
      const record = this.#naive.get(key, this.clock())

      expect(this.#store.get(name)).toEqual(record)
      expect(this.#store.encoded(name)).toEqual(isEmpty(record) ? undefined : encodeRecord(record))
    }
  }
}

const limits: fc.Arbitrary<NaiveLimits> = fc.record({
  maxRecords: fc.integer({ min: 1, max: 6 }),
  maxBytes: fc.integer({ min: 60, max: 400 })
})

describe('RecordStore', () => {
  it('does what a naive store does, whatever happens to it, to the byte (N7, R1, R6)', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40, size: 'max' }), limits, (steps, limits) => {
        const pair = new Pair(limits)

        for (const [index, one] of steps.entries()) {
          pair.take(one, index)
        }
      }),
      LAW
    )
  })

  it('remembers no more than a few times what it holds, however often that is written (N7)', () => {
    const push = vi.spyOn(TinyQueue.prototype, 'push')
    const clock = manualClock(1_000)
    const store = new RecordStore({ clock })
    let longest = 0
    store.apply(recordKey('the first to expire'), plainRecord(0, 1_500))

    for (let i = 0; i < 5_000; i++) {
      store.apply(KEYS[i % 3] as Uint8Array, plainRecord(i, 2_000 + i))
      const queue = push.mock.contexts.at(-1) as TinyQueue<unknown> | undefined
      longest = Math.max(longest, queue?.length ?? 0)
    }

    push.mockRestore()
    expect(longest).toBeGreaterThan(0)
    expect(longest).toBeLessThan(50)
    expect(store.records).toBe(4)

    clock.time = 10_000
    store.sweep()
    expect(store).toMatchObject({ records: 0, bytes: 0 })
  })

  it('keeps no bytes of what was replaced or refused, however many others it holds (N7)', async () => {
    const clock = manualClock(1_000)
    const store = new RecordStore({ clock, maxRecords: 500, nearnessOf: () => 0 })
    const before = usedBytes()

    for (let i = 0; i < 500; i++) {
      store.apply(recordKey(['other', i]), plainRecord(i, 1_500), 'others')
    }

    for (let i = 0; i < 500; i++) {
      store.apply(recordKey('hot'), plainRecord(large(), 2_000 + i), 'flood')
      store.apply(recordKey(['refused', i]), plainRecord(large(), 1_400), 'others')
    }

    expect(store.records).toBe(500)
    await expect.poll(() => usedBytes() - before).toBeLessThan(20 * large().length)
    expect(store.bytes).toBeGreaterThan(large().length)
  })
})

/** Measures the memory of buffers, which is freed a moment after their collection. */
function usedBytes(): number {
  collectGarbage()
  return memoryUsage().arrayBuffers
}

function large(): Uint8Array {
  return new Uint8Array(100_000)
}
