import { describe, expect, it } from 'vitest'
import { drive, rate } from '../../src/workload/drive.ts'

describe('drive', () => {
  it('runs each operation once, and never more than may be in flight', async () => {
    const started: number[] = []
    let running = 0
    let most = 0
    const measured = await drive(
      async (index) => {
        started.push(index)
        running += 1
        most = Math.max(most, running)
        await Promise.resolve()
        running -= 1
        return true
      },
      { count: 20, inFlight: 4 }
    )

    expect(started).toEqual(Array.from({ length: 20 }, (_, i) => i))
    expect(most).toBe(4)
    expect(measured.latenciesMs).toHaveLength(20)
    expect(measured.failed).toEqual([])
  })

  it('counts what rejects and what is wrong as failed, and says why the first did', async () => {
    const measured = await drive(
      async (index) => {
        if (index === 1) {
          throw new Error('lost')
        }

        return index !== 2
      },
      { count: 4, inFlight: 1 }
    )

    expect(measured.failed).toEqual([1, 2])
    expect(measured.failure).toBe('Error: lost')
    expect(measured.latenciesMs).toHaveLength(4)
  })

  it('starts none when time is up', async () => {
    const measured = await drive(async () => true, { count: 5, inFlight: 1, limitMs: 0 })

    expect(measured.latenciesMs).toEqual([])
  })
})

describe('rate', () => {
  it('counts what did not fail', () => {
    expect(rate({ latenciesMs: [1, 1, 1], failed: [2], elapsedMs: 500 })).toBe(4)
  })
})
