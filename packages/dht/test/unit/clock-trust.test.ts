import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ClockTrust, GRACE_MS, mayRemoveExpired } from '../../src/clock/clock-trust.ts'

const HOUR_MS = 3_600_000

describe('mayRemoveExpired', () => {
  it.each([
    ['peers confirm the clock', 10, 0, true],
    ['peers deny it, however long ago', -HOUR_MS, HOUR_MS, false],
    ['no peer was asked yet', undefined, GRACE_MS - 1, false],
    ['no peer has denied it for long', undefined, GRACE_MS, true]
  ])('decides when %s (N8m)', (_, medianSkewMs, doubtedForMs, expected) => {
    expect(mayRemoveExpired({ medianSkewMs, doubtedForMs })).toBe(expected)
  })
})

describe('ClockTrust', () => {
  let isSuspended: boolean
  let warnings: string[]
  let trust: ClockTrust

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    isSuspended = false
    warnings = []
    trust = new ClockTrust({
      store: {
        suspendExpiration: () => {
          isSuspended = true
        },
        resumeExpiration: () => {
          isSuspended = false
        }
      },
      onWrong: (message) => warnings.push(message)
    })
  })

  afterEach(() => {
    trust.stop()
    vi.useRealTimers()
  })

  it('keeps what has expired until a peer confirms the clock (N8m)', () => {
    trust.doubt()
    expect(isSuspended).toBe(true)
    trust.compare(20, 1)
    expect(isSuspended).toBe(false)
    expect(warnings).toEqual([])
  })

  it('believes a clock that nobody has denied for ten minutes (N8m)', () => {
    trust.doubt()
    vi.advanceTimersByTime(GRACE_MS - 1000)
    expect(isSuspended).toBe(true)
    vi.advanceTimersByTime(1000)
    expect(isSuspended).toBe(false)
  })

  it('never believes one that peers deny, and says so once (N8m)', () => {
    trust.compare(-HOUR_MS, 5)
    trust.compare(-HOUR_MS, 5)
    vi.advanceTimersByTime(2 * GRACE_MS)
    expect(isSuspended).toBe(true)
    expect(warnings).toEqual([expect.stringContaining('3600 s ahead of those of 5 peers')])
    trust.doubt()
    trust.compare(0, 5)
    expect(isSuspended).toBe(false)
  })
})
