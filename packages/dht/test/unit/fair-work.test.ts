import { afterEach, describe, expect, it, vi } from 'vitest'
import { FairWork, type Job } from '../../src/exchange/fair-work.ts'

function busyFor(ms: number): void {
  const untilMs = performance.now() + ms

  while (performance.now() < untilMs) {
    // That is what it is to be busy.
  }
}

/** A job of so many pieces, each of which takes its time. */
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

/** Each piece takes a tenth of a millisecond of a clock that nothing else moves, and counts for the last of the turns. */
function countedSteps(turns: number[]): Job {
  let left = 100

  return {
    step() {
      nowMs += 0.1
      turns[turns.length - 1] = (turns.at(-1) ?? 0) + 1
      left--
      return left === 0
    }
  }
}

let nowMs = 0

afterEach(() => {
  vi.restoreAllMocks()
})

describe('FairWork', () => {
  it('does at once what is small', () => {
    let isDone = false
    new FairWork().add(
      'a',
      job(3, 0, () => {
        isDone = true
      })
    )

    expect(isDone).toBe(true)
  })

  it('lets others have their turn while a large job is under way, however large it is (N9)', async () => {
    const work = new FairWork()
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
    await vi.waitUntil(() => work.waiting === 0)

    expect(order).toHaveLength(11)
    expect(order[0]).toBe('small')
  })

  it('gives the event loop back after a few milliseconds (N9)', async () => {
    const work = new FairWork()
    const turns: number[] = []
    let lastMs = performance.now()
    const ticking = setInterval(() => {
      turns.push(performance.now() - lastMs)
      lastMs = performance.now()
    }, 0)

    for (let peer = 0; peer < 4; peer++) {
      work.add(`peer ${peer}`, job(50, 0.5))
    }

    await vi.waitUntil(() => work.waiting === 0)
    clearInterval(ticking)
    expect(turns.length).toBeGreaterThan(5)
  })

  it('shares time by peer, and not by question', async () => {
    const work = new FairWork()
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

    await vi.waitUntil(() => work.waiting === 0)
    expect(done.slice(0, 12).filter((peer) => peer === 'few')).toHaveLength(5)
  })

  it('takes long turns for one peer, and short ones as soon as another one asks (N9)', async () => {
    vi.spyOn(performance, 'now').mockImplementation(() => nowMs)
    const work = new FairWork()
    const turns = [0]
    const nextTurn = (): Promise<void> =>
      new Promise((resolve) => {
        setImmediate(() => {
          turns.push(0)
          resolve()
        })
      })

    work.add('large', countedSteps(turns))
    await nextTurn()
    await nextTurn()
    work.add('small', { step: () => true })
    await nextTurn()
    await nextTurn()

    const [atOnce = 0, alone = 0, shared = 0, sharedStill = 0] = turns
    expect([atOnce, alone].every((steps) => steps >= 20)).toBe(true)
    expect([shared, sharedStill].every((steps) => steps > 0 && steps <= 8)).toBe(true)
  })
})
