import { describe, expect, it } from 'vitest'
import { DelayLine } from '../../src/nodes/delay-line.ts'

const DELAY_MS = 100
const MESSAGES = 1000

describe('DelayLine', () => {
  it('delivers in order, nothing early, however many are on the way', async () => {
    const line = new DelayLine(DELAY_MS)
    const delivered: number[] = []
    const waitedMs: number[] = []
    const start = performance.now()

    await new Promise<void>((resolve) => {
      for (let i = 0; i < MESSAGES; i++) {
        const sent = performance.now()
        line.send(() => {
          delivered.push(i)
          waitedMs.push(performance.now() - sent)

          if (i === MESSAGES - 1) {
            resolve()
          }
        })
      }
    })

    expect(delivered).toEqual([...Array(MESSAGES).keys()])
    expect(Math.min(...waitedMs)).toBeGreaterThanOrEqual(DELAY_MS)
    // One after the other they would take a hundred seconds.
    expect(performance.now() - start).toBeLessThan(100 * DELAY_MS)
  })

  it('delays again what is sent on from there', async () => {
    const line = new DelayLine(DELAY_MS)
    const start = performance.now()
    await new Promise<void>((resolve) => line.send(() => line.send(resolve)))

    expect(performance.now() - start).toBeGreaterThanOrEqual(2 * DELAY_MS)
  })
})
