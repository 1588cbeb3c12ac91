import { describe, expect, it } from 'vitest'
import { goals } from '../../src/scenarios/growth/growth.ts'
import type { RealFigures } from '../../src/scenarios/growth/measure-real.ts'

/** Figures of a network whose idle nodes each take this percentage of a core. */
function idle(nodes: number, idleCPU: number): RealFigures {
  return {
    ...{ nodes, usedBytes: 1, residentBytes: 1, connections: 1, known: 1, dialsPerHour: 0 },
    ...{
      joinMs: [100, 200, 400],
      joinCpuMs: 1,
      joinDials: 1,
      operations: [],
      dialsByTask: [],
      idleCPU
    }
  }
}

function idleGoal(...real: readonly RealFigures[]) {
  return goals(real, []).find(({ text }) => text.startsWith('an idle node'))
}

describe('the goals of growth', () => {
  it('are neither met nor missed if nothing was measured', () => {
    expect(goals([], []).map(({ isMet }) => isMet)).toEqual(Array(6).fill(undefined))
    expect(idleGoal()?.isMet).toBeUndefined()
  })

  it('hold an idle node to 0.3 % of a core, whatever the size of the network', () => {
    expect(idleGoal(idle(10, 0.138), idle(1000, 0.281))).toEqual({
      text: 'an idle node takes at most 0.3 % of a core, whatever the size',
      measured: '0.14 % of 10, 0.28 % of 1000',
      isMet: true
    })
    expect(idleGoal(idle(10, 0.31), idle(1000, 0.2))?.isMet).toBe(false)
  })

  it('hold the joins of the largest network to a time', () => {
    expect(goals([idle(1000, 0.1)], []).at(-1)).toEqual({
      text: 'joining a network of 1000 nodes: p50 at most 300 ms',
      measured: '200 ms',
      isMet: true
    })
  })
})
