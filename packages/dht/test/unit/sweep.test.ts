import { join, recordKey, subkeyRecord } from '@waggle/record'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { RecordStore } from '../../src/store/record-store.ts'
import { SWEEP_INTERVAL_MS, sweepRegularly } from '../../src/store/sweep.ts'
import { manualClock } from '../support/manual-clock.ts'

const DICTIONARIES = 1000

describe('sweepRegularly', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearInterval'] })
  })

  afterEach(() => {
    vi.useRealTimers()
  })

  /** Makes a store of dictionaries, half of each of which expires at second 10. */
  function dictionaries(): { store: RecordStore; clock: { time: number } } {
    const clock = manualClock(0)
    const store = new RecordStore({ clock })
    const record = join(subkeyRecord('a', 'x'.repeat(100), 10), subkeyRecord('b', 1, 100))

    for (let i = 0; i < DICTIONARIES; i++) {
      store.apply(recordKey(i), record)
    }

    return { store, clock }
  }

  it('goes on at once until nothing is left to sweep, however much is due (R1)', async () => {
    const { store, clock } = dictionaries()
    const before = store.bytes
    const lifetime = new AbortController()
    sweepRegularly([undefined, store], lifetime.signal)
    clock.time = 10
    await vi.advanceTimersByTimeAsync(SWEEP_INTERVAL_MS + 100)

    expect(store.records).toBe(DICTIONARIES)
    expect(store.bytes).toBeLessThan(before - DICTIONARIES * 100)
    expect(store.sweep()).toBe(false)
    lifetime.abort()
  })

  it('ends with the node, in the middle of a sweep, too', async () => {
    const { store, clock } = dictionaries()
    const lifetime = new AbortController()
    sweepRegularly([store], lifetime.signal)
    clock.time = 10
    vi.advanceTimersByTime(SWEEP_INTERVAL_MS)
    lifetime.abort()
    await vi.advanceTimersByTimeAsync(3 * SWEEP_INTERVAL_MS)

    expect(store.sweep()).toBe(true)
  })
})
