import { describe, expect, it, vi } from 'vitest'
import { progressSignal } from '../../src/timing/progress-signal.ts'
import { ProgressClock } from '../../src/wire/progress-clock.ts'
import { useFakeTimers } from '../support/fake-timers.ts'

describe('ProgressClock', () => {
  it('takes bytes for progress at a thousand a second, and no more than there was time (N12)', () => {
    const clock = new ProgressClock(0)
    clock.move(100, 1000)
    expect(clock.sinceMs).toBe(100)
    clock.move(10_000, 2000)
    expect(clock.sinceMs).toBe(2000)
  })

  it('takes a dribble for none, however long it lasts (N12)', () => {
    const clock = new ProgressClock(0)

    for (let second = 1; second <= 60; second++) {
      clock.move(1, second * 1000)
    }

    expect(clock.sinceMs).toBe(60)
  })

  it('gives large requests the time that a slow line takes, whatever moves meanwhile (N12)', () => {
    const clock = new ProgressClock(0)
    clock.expect(64_000, 1000)
    clock.move(100, 1500)
    clock.reset(1500)
    expect(clock.sinceMs).toBe(2000)
  })

  it('begins anew with what is complete (N12)', () => {
    const clock = new ProgressClock(0)
    clock.reset(5000)
    expect(clock.sinceMs).toBe(5000)
  })
})

describe('progressSignal', () => {
  useFakeTimers()

  it('is aborted as long after the last progress as the timeout is (N12)', async () => {
    let progressMs = Number.NEGATIVE_INFINITY
    using inTime = progressSignal(3000, () => progressMs)
    await vi.advanceTimersByTimeAsync(2000)
    progressMs = performance.now()
    await vi.advanceTimersByTimeAsync(2999)
    expect(inTime.signal.aborted).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    expect(inTime.signal.reason).toMatchObject({ name: 'TimeoutError' })
  })

  it('leaves no timer when it is over', () => {
    const inTime = progressSignal(3000, () => 0)
    inTime[Symbol.dispose]()
    expect(vi.getTimerCount()).toBe(0)
  })
})
