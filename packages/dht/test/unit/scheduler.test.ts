import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type ScheduledRequest, Scheduler } from '../../src/admission/scheduler.ts'

const RATES = { maxKeysPerSecondPerPeer: 100, maxKeysPerSecond: 1000 }

function request(differences: Partial<ScheduledRequest<string>> = {}): ScheduledRequest<string> {
  return { peer: 'a', keys: 2, answer: answer(), isWanted: () => true, ...differences }
}

function* answer(): Generator<undefined, string> {
  yield
  return 'answer'
}

describe('Scheduler', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  })

  afterEach(() => {
    vi.useRealTimers()
  })

  it('answers as soon as the peer may ask for so much (N9f)', async () => {
    const scheduler = new Scheduler(RATES)
    expect(await scheduler.run(request({ keys: 200 }))).toBe('answer')

    let isAnswered = false
    const late = scheduler.run(request()).finally(() => {
      isAnswered = true
    })
    expect(await scheduler.run(request({ peer: 'b' }))).toBe('answer')
    await vi.advanceTimersByTimeAsync(900)
    expect(isAnswered).toBe(false)
    await vi.advanceTimersByTimeAsync(200)
    expect(await late).toBe('answer')
  })

  it('counts keys for all protocols together (N9f)', async () => {
    const scheduler = new Scheduler(RATES)
    await scheduler.run(request({ keys: 200 }))

    expect(scheduler.admission.admits('a', 1)).toBe(false)
  })

  it('does nothing for who has gone', async () => {
    const scheduler = new Scheduler(RATES)
    await scheduler.run(request({ keys: 200 }))
    let isWanted = true
    const late = scheduler.run(request({ isWanted: () => isWanted }))
    isWanted = false
    await vi.advanceTimersByTimeAsync(100)

    expect(await late).toBeUndefined()
  })

  it('rejects with what goes wrong, and goes on', async () => {
    const scheduler = new Scheduler(RATES)
    const failing = request({
      // biome-ignore lint/correctness/useYield: it fails before
      answer: (function* () {
        throw new Error('no answer')
      })()
    })

    await expect(scheduler.run(failing)).rejects.toThrow('no answer')
    expect(await scheduler.run(request())).toBe('answer')
  })
})
