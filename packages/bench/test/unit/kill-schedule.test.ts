import { describe, expect, it } from 'vitest'
import { killSchedule } from '../../src/scenarios/hivemind/workload.ts'
import { seededRandom } from '../../src/workload/random.ts'

describe('killSchedule', () => {
  it.each([1, 2, 3])('kills all victims, once each, by the last round (seed %i)', async (seed) => {
    const killed: string[] = []
    const victims = ['a', 'b', 'c'].map((name) => ({
      async kill() {
        killed.push(name)
      }
    }))
    const onRound = killSchedule(victims, 10, seededRandom(seed))
    const killedBy: number[] = []

    for (let round = 0; round < 20; round++) {
      await onRound()
      killedBy.push(killed.length)
    }

    expect(killed.toSorted()).toEqual(['a', 'b', 'c'])
    expect(killedBy[9]).toBe(3)
    // Never two at once.
    expect(killedBy.every((count, i) => count - (killedBy[i - 1] ?? 0) <= 1)).toBe(true)
  })
})
