import { describe, expect, it, vi } from 'vitest'
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
})
