import { describe, expect, it } from 'vitest'
import {
  backoffMs,
  FIRST_RETRY_MS,
  MAX_LONELY_RETRY_MS,
  MAX_RETRY_MS
} from '../../src/join/backoff.ts'
import { wait } from '../../src/timing/wait.ts'

const FAILURES = Array.from({ length: 100 }, (_, i) => i)

describe('backoffMs', () => {
  it('doubles with each failure, up to a minute (N8h)', () => {
    const waits = FAILURES.map((failures) => backoffMs(failures, { isLonely: false, random: 1 }))

    expect(waits.slice(0, 7)).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, MAX_RETRY_MS])
    expect(Math.max(...waits)).toBe(MAX_RETRY_MS)
    expect(waits[0]).toBe(FIRST_RETRY_MS)
  })

  it('never lets a node without any peer wait longer than ten seconds (N8h)', () => {
    const waits = FAILURES.map((failures) => backoffMs(failures, { isLonely: true, random: 1 }))

    expect(Math.max(...waits)).toBe(MAX_LONELY_RETRY_MS)
  })

  it('leaves a half of it to chance, so that not all come back at once', () => {
    const options = { isLonely: false }

    expect(backoffMs(3, { ...options, random: 0 })).toBe(4000)
    expect(backoffMs(3, { ...options, random: 0.5 })).toBe(6000)
    expect(backoffMs(3, { ...options, random: 1 })).toBe(8000)
  })
})

describe('wait', () => {
  it('ends at once when the signal is aborted, before or while it waits', async () => {
    const stop = new AbortController()
    const waiting = wait(2 ** 30, stop.signal)
    stop.abort()

    await waiting
    await wait(2 ** 30, stop.signal)
  })
})
