import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ClockAlarm, RECHECK_MS } from '../../src/timing/clock-alarm.ts'
import { type ManualClock, manualClock } from '../support/manual-clock.ts'

const NOW = 1000

describe('ClockAlarm', () => {
  let clock: ManualClock
  let rings: number
  let alarm: ClockAlarm

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    clock = manualClock(NOW)
    rings = 0
    alarm = new ClockAlarm(clock, () => rings++)
  })

  afterEach(() => {
    alarm.stop()
    vi.useRealTimers()
  })

  function pass(seconds: number): void {
    for (let left = seconds; left > 0; left -= 0.125) {
      clock.time += 0.125
      vi.advanceTimersByTime(125)
    }
  }

  it('rings once, at the earliest of the times', () => {
    alarm.at(NOW + 10)
    alarm.at(NOW + 5)
    alarm.at(NOW + 20)
    pass(4.5)
    expect(rings).toBe(0)
    pass(30)
    expect(rings).toBe(1)
  })

  it('rings soon after the clock has jumped past the time (N8l)', () => {
    alarm.at(NOW + 3600)
    clock.time += 7200
    vi.advanceTimersByTime(RECHECK_MS)
    expect(rings).toBe(1)
  })

  it('waits on after the clock was set back (N8l)', () => {
    alarm.at(NOW + 5)
    clock.time -= 100
    pass(50)
    expect(rings).toBe(0)
    pass(60)
    expect(rings).toBe(1)
  })

  it('rings for times that have passed, and never after it was stopped', () => {
    alarm.at(NOW - 5)
    vi.advanceTimersByTime(0)
    expect(rings).toBe(1)
    alarm.stop()
    alarm.at(NOW - 5)
    vi.advanceTimersByTime(RECHECK_MS)
    expect(rings).toBe(1)
  })
})
