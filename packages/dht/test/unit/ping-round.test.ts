import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { SILENCE_MS } from '../../src/connections/liveness.ts'
import { PingRound } from '../../src/connections/ping-round.ts'
import { mayHaveLostConnections } from '../../src/service/after-sleep.ts'
import { afterRunning, STEP_MS } from '../../src/timing/running-time.ts'
import { busyFor } from '../support/busy-for.ts'

describe('PingRound', () => {
  let asked: number[]
  let ended: number[]
  let answers: Map<number, PromiseWithResolvers<void>>
  let isDone: boolean

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  })

  afterEach(() => {
    vi.useRealTimers()
  })

  function begin(count: number): PingRound<number> {
    asked = []
    ended = []
    answers = new Map()
    isDone = false
    const round = new PingRound({
      connections: Array.from({ length: count }, (_, i) => i),
      ping(connection) {
        const answer = Promise.withResolvers<void>()
        asked.push(connection)
        answers.set(connection, answer)
        return answer.promise
      },
      silenceMs: SILENCE_MS,
      end: (connection) => ended.push(connection)
    })
    void round.done.then(() => {
      isDone = true
    })
    return round
  }

  async function run(ms: number): Promise<void> {
    await vi.advanceTimersByTimeAsync(ms)
  }

  async function answer(connection: number | undefined): Promise<void> {
    answers.get(connection ?? -1)?.resolve()
    await run(0)
  }

  it('ends no connection that answers in its turn, however long all take together (N8l, N10j)', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(SILENCE_MS - STEP_MS), fc.nat(50)), {
          minLength: 1,
          maxLength: 60
        }),
        async (turns) => {
          begin(turns.length)

          for (const [waitMs, which] of turns) {
            await run(waitMs)
            const due = asked.filter((connection) => answers.has(connection))
            const next = due[which % due.length] as number
            await answer(next)
            answers.delete(next)
          }

          expect([ended, isDone]).toEqual([[], true])
        }
      )
    )
  })

  it('ends the dead ones when nothing has answered for 3 seconds, however many there are', async () => {
    begin(96)
    await run(SILENCE_MS + 2 * STEP_MS)
    expect(ended.length).toBeGreaterThan(0)
    await run(96 * STEP_MS - SILENCE_MS)
    expect([ended.length, isDone]).toEqual([96, true])
  })

  it('ends those that are silent while others answer at once', async () => {
    begin(50)

    while (asked.length < 50) {
      await answer(asked.at(-1))
    }

    await run(SILENCE_MS + STEP_MS)
    expect([ended.length, isDone]).toEqual([8, true])
  })

  it('pings a few at a time, and more when nothing comes back', async () => {
    begin(50)
    expect(asked).toHaveLength(8)
    await answer(0)
    expect(asked).toHaveLength(9)
    await run(2 * STEP_MS)
    expect(asked.length).toBeGreaterThan(16)
  })

  it('ends a connection at once whose ping fails, and none that is left when it is stopped', async () => {
    const round = begin(3)
    answers.get(1)?.reject(new Error('closed'))
    await run(0)
    expect(ended).toEqual([1])
    round.stop()
    await run(2 * SILENCE_MS)
    expect([ended, isDone]).toEqual([[1], true])
  })
})

describe('afterRunning', () => {
  it('does not count the time for which the process was blocked', async () => {
    const run = vi.fn()
    const cancel = afterRunning(3 * STEP_MS, run)
    busyFor(5 * STEP_MS)
    await new Promise((resolve) => setTimeout(resolve))
    expect(run).not.toHaveBeenCalled()
    await expect.poll(() => run.mock.calls.length).toBe(1)
    cancel()
  })

  it('calls nothing once it is cancelled', async () => {
    const run = vi.fn()
    afterRunning(STEP_MS, run)()
    await new Promise((resolve) => setTimeout(resolve, 2 * STEP_MS))
    expect(run).not.toHaveBeenCalled()
  })
})

describe('mayHaveLostConnections', () => {
  it.each([
    ['a process that had much to do for some seconds', 5000, false, false],
    ['a sleep of a minute', 60_000, false, true],
    ['a network that is back, as the browser says', 0, true, true]
  ])('judges %s (N8l)', (_, sleptMs, isReported, expected) => {
    expect(mayHaveLostConnections({ sleptMs, isReported })).toBe(expected)
  })
})
