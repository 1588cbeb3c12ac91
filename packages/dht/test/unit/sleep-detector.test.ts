import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  CHECK_INTERVAL_MS,
  type ClockPair,
  interruptionBetween,
  MIN_SLEEP_MS,
  SleepDetector,
  WORKED_SHARE
} from '../../src/timing/sleep-detector.ts'

describe('interruptionBetween', () => {
  it('takes no process that was stopped between two checks for one that has worked (N8l)', () => {
    const took = MIN_SLEEP_MS + CHECK_INTERVAL_MS
    expect(CHECK_INTERVAL_MS / took).toBeLessThan(WORKED_SHARE)
  })

  const before: ClockPair = { wallMs: 5000, processMs: 100 }
  const after = (wallMs: number, processMs: number, workedMs?: number): ClockPair => ({
    ...{ wallMs: before.wallMs + wallMs, processMs: before.processMs + processMs },
    ...(workedMs !== undefined && { workedMs })
  })

  it.each([
    ['all is well', after(1000, 1000), 0, 0],
    ['the process was stopped, and both clocks went on', after(61_000, 61_000), 60_000, 0],
    ['the machine slept, and only the wall clock went on', after(61_000, 1000), 60_000, 60_000],
    [
      'the process was stopped while it worked',
      after(5000, 5000, 5000 * WORKED_SHARE - 1),
      4000,
      0
    ],
    ['the process has worked, but slowly', after(5000, 5000, 5000 * WORKED_SHARE), 0, 0],
    ['the clock was set forward while it worked', after(65_000, 5000, 5000), 60_000, 60_000],
    ['the clock was set back', after(-59_000, 1000), 0, -60_000],
    ['it is looked at before it is due', after(200, 200), 0, 0]
  ])('tells when %s', (_, now, sleptMs, steppedMs) => {
    expect(interruptionBetween(before, now, 1000)).toEqual({ sleptMs, steppedMs })
  })
})

describe('SleepDetector', () => {
  let wallMs: number
  let heard: [string, number][]
  let detector: SleepDetector
  let lifetime: AbortController

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
    wallMs = 0
    heard = []
    lifetime = new AbortController()
    detector = new SleepDetector({
      onWake: ({ sleptMs }) => heard.push(['wake', Math.round(sleptMs)]),
      onStep: (steppedMs) => heard.push(['step', Math.round(steppedMs)]),
      clocks: () => ({ wallMs: wallMs + performance.now(), processMs: performance.now() })
    })
  })

  afterEach(() => {
    lifetime.abort()
    vi.useRealTimers()
    vi.unstubAllGlobals()
  })

  it('says nothing while time runs as it should', () => {
    detector.follow(lifetime.signal)
    vi.advanceTimersByTime(60_000)
    wallMs += MIN_SLEEP_MS - 1
    vi.advanceTimersByTime(1000)
    expect(heard).toEqual([])
  })

  it('tells of a jump first, and of a sleep once (N8l)', () => {
    detector.follow(lifetime.signal)
    wallMs += 3_600_000
    vi.advanceTimersByTime(60_000)
    expect(heard).toEqual([
      ['step', 3_600_000],
      ['wake', 3_600_000]
    ])
  })

  it('takes a process that works for one that does not sleep, though it works slowly (N8l)', () => {
    let workedMs = 0
    let processMs = 0
    const busy = new SleepDetector({
      onWake: ({ sleptMs }) => heard.push(['wake', sleptMs]),
      onStep: () => {},
      clocks: () => ({ wallMs: processMs, processMs, workedMs })
    })
    workedMs += WORKED_SHARE * 2 * MIN_SLEEP_MS
    processMs += 2 * MIN_SLEEP_MS
    busy.check()
    processMs += 2 * MIN_SLEEP_MS
    busy.check()
    expect(heard).toEqual([['wake', 2 * MIN_SLEEP_MS - CHECK_INTERVAL_MS]])
  })

  it('takes a clock that was set back for no sleep', () => {
    detector.follow(lifetime.signal)
    wallMs -= 3_600_000
    vi.advanceTimersByTime(60_000)
    expect(heard).toEqual([['step', -3_600_000]])
  })

  it.each([
    ['resume', 'document'],
    ['pageshow', 'window'],
    ['online', 'window']
  ])('believes the event %s of a browser (N8l)', (name, target) => {
    const events = new EventTarget()
    vi.stubGlobal(target, events)
    detector.follow(lifetime.signal)
    events.dispatchEvent(new Event(name))
    lifetime.abort()
    events.dispatchEvent(new Event(name))

    expect(heard).toEqual([['wake', 0]])
  })
})
