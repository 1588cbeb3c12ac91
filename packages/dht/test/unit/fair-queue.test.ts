import { afterEach, describe, expect, it, vi } from 'vitest'
import { FairQueue, type Job } from '../../src/admission/fair-queue.ts'
import { busyFor } from '../support/busy-for.ts'
import { turns } from '../support/end-of-turn.ts'

/** Makes a job of some pieces, each of which takes some time. */
function job(pieces: number, pieceMs: number, onDone: () => void = () => {}): Job {
  let left = pieces

  return {
    step() {
      busyFor(pieceMs)
      left--

      if (left === 0) {
        onDone()
      }

      return left === 0
    }
  }
}

/**
 * Makes a job whose pieces take a tenth of a millisecond of a manual clock, and count for the last of the turns.
 */
function countedSteps(turns: number[], pieces = 100): Job {
  let left = pieces

  return {
    step() {
      nowMs += STEP_MS
      turns[turns.length - 1] = (turns.at(-1) ?? 0) + 1
      left--
      return left === 0 || isOver
    }
  }
}

/** Waits until a queue is idle. Other processes may delay it for longer than its work takes. */
async function whenIdle(work: FairQueue): Promise<void> {
  await vi.waitUntil(() => work.waiting === 0, { timeout: 30_000 })
}

const STEP_MS = 0.1
let nowMs = 0

/** Whether endless jobs are to end. */
let isOver = false

afterEach(() => {
  vi.restoreAllMocks()
})

describe('FairQueue', () => {
  it('does at once what is small', () => {
    let isDone = false
    new FairQueue().add(
      'a',
      job(3, 0, () => {
        isDone = true
      })
    )

    expect(isDone).toBe(true)
  })

  it('lets others have their turn while a large job is under way, however large it is (N9f)', async () => {
    const work = new FairQueue()
    const order: string[] = []

    for (let i = 0; i < 10; i++) {
      work.add(
        'large',
        job(30, 1, () => order.push('large'))
      )
    }

    work.add(
      'small',
      job(1, 0, () => order.push('small'))
    )
    await whenIdle(work)

    expect(order).toHaveLength(11)
    expect(order[0]).toBe('small')
  })

  it('gives the event loop back after a few milliseconds (N9f)', async () => {
    const work = new FairQueue()
    const turns: number[] = []
    let lastMs = performance.now()
    const ticking = setInterval(() => {
      turns.push(performance.now() - lastMs)
      lastMs = performance.now()
    }, 0)

    for (let peer = 0; peer < 4; peer++) {
      work.add(`peer ${peer}`, job(50, 0.5))
    }

    await whenIdle(work)
    clearInterval(ticking)
    expect(turns.length).toBeGreaterThan(5)
  })

  it('does not serve a peer at once whose jobs wait (N9f)', async () => {
    vi.spyOn(performance, 'now').mockImplementation(() => nowMs)
    const queue = new FairQueue()
    let isDone = false
    queue.add('a', countedSteps([0]))
    queue.add('a', {
      step() {
        isDone = true
        return true
      }
    })

    expect(isDone).toBe(false)
    await whenIdle(queue)
    expect(isDone).toBe(true)
  })

  it('serves a peer at once again whose jobs have waited and are done (N9f)', async () => {
    const work = new FairQueue()
    work.add('a', job(10, 1))
    expect(work.waiting).toBe(1)
    await whenIdle(work)
    await turns()
    let isDone = false
    work.add(
      'a',
      job(1, 0, () => {
        isDone = true
      })
    )

    expect(isDone).toBe(true)
  })

  it('shares time by peer, and not by request', async () => {
    const work = new FairQueue()
    const done: string[] = []
    work.add('x', job(10, 1))

    for (let i = 0; i < 20; i++) {
      work.add(
        'many',
        job(1, 1, () => done.push('many'))
      )
    }

    for (let i = 0; i < 5; i++) {
      work.add(
        'few',
        job(1, 1, () => done.push('few'))
      )
    }

    await whenIdle(work)
    expect(done.slice(0, 12).filter((peer) => peer === 'few')).toHaveLength(5)
  })

  describe('of a peer that asks for much', () => {
    const nextTurn = (turns: number[]): Promise<void> =>
      new Promise((resolve) => {
        setImmediate(() => {
          turns.push(0)
          resolve()
        })
      })

    it('takes long turns while it is alone, and short ones as soon as one asks for little (N9f)', async () => {
      vi.spyOn(performance, 'now').mockImplementation(() => nowMs)
      const work = new FairQueue()
      const turns = [0]

      work.add('large', countedSteps(turns))
      await nextTurn(turns)
      await nextTurn(turns)
      work.add('small', { step: () => true })
      await nextTurn(turns)
      await nextTurn(turns)

      const [atOnce = 0, alone = 0, shared = 0, sharedStill = 0] = turns
      expect([atOnce, alone].every((steps) => steps >= 20)).toBe(true)
      expect([shared, sharedStill].every((steps) => steps > 0 && steps <= 6)).toBe(true)
    })

    it('takes a quarter of the time while one asks for little, and all of it after that (N9f)', async () => {
      vi.spyOn(performance, 'now').mockImplementation(() => nowMs)
      const work = new FairQueue()
      const turns = [0]
      const steps = (): number => turns.reduce((sum, count) => sum + count, 0)
      const passes = async (ms: number, isShared: boolean): Promise<void> => {
        for (const untilMs = nowMs + ms; nowMs < untilMs; nowMs += 1) {
          if (isShared) {
            work.add('small', { step: () => true })
          }

          await new Promise((resolve) => setTimeout(resolve, 2))
        }
      }

      work.add('large', countedSteps(turns, Number.POSITIVE_INFINITY))
      await passes(50, true)
      const [before, sinceMs] = [steps(), nowMs]
      await passes(200, true)
      const sharedMs = (steps() - before) * STEP_MS
      const ofMs = nowMs - sinceMs
      await passes(150, false)
      const [afterwards, laterMs] = [steps(), nowMs]
      await passes(50, false)
      const aloneMs = (steps() - afterwards) * STEP_MS

      expect(sharedMs / ofMs).toBeGreaterThan(0.15)
      expect(sharedMs / ofMs).toBeLessThan(0.3)
      expect(aloneMs / (nowMs - laterMs)).toBeGreaterThan(0.6)
      isOver = true
      await vi.waitUntil(() => work.waiting === 0, { timeout: 20_000 })
    })
  })
})
