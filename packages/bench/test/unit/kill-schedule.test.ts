import { describe, expect, it } from 'vitest'
import { KillSchedule } from '../../src/scenarios/hivemind/kill-schedule.ts'
import { seededRandom } from '../../src/workload/random.ts'

describe('KillSchedule', () => {
  it.each([1, 2, 3])('kills all victims, once each, by the last round (seed %i)', async (seed) => {
    const killed: string[] = []
    const victims = ['a', 'b', 'c'].map((name) => ({
      async kill() {
        killed.push(name)
      }
    }))
    const schedule = new KillSchedule(victims, { rounds: 10, random: seededRandom(seed) })
    const killedBy: number[] = []

    for (let round = 0; round < 20; round++) {
      schedule.tick()
      killedBy.push(killed.length)
    }

    expect(killed.toSorted()).toEqual(['a', 'b', 'c'])
    expect(killedBy[9]).toBe(3)
    // Never two at once.
    expect(killedBy.every((count, i) => count - (killedBy[i - 1] ?? 0) <= 1)).toBe(true)
    expect(await schedule.killed()).toBe(3)
  })
})
