import { describe, expect, it } from 'vitest'
import { goals } from '../../src/scenarios/growth/growth.ts'
import type { RealFigures } from '../../src/scenarios/growth/measure-real.ts'

/** Figures of a network whose idle nodes each take this percentage of a core. */
function idle(nodes: number, idleCPU: number | undefined): RealFigures {
  return {
    ...{ nodes, tookMs: 1, usedBytes: 1, residentBytes: 1, connections: 1, clientConnections: 1 },
    operations: [],
    idleCPU
  }
}

function idleGoal(...real: readonly RealFigures[]) {
  return goals(real, []).find(({ text }) => text.startsWith('an idle node'))
}

describe('the goals of growth', () => {
  it('are neither met nor missed if nothing was measured', () => {
    expect(goals([], []).map(({ isMet }) => isMet)).toEqual(Array(5).fill(undefined))
    expect(idleGoal(idle(256, undefined))?.isMet).toBeUndefined()
  })

  it('hold an idle node to a hundredth of a core, whatever the size of the network', () => {
    expect(idleGoal(idle(16, 0.938), idle(64, 0.781), idle(256, undefined))).toEqual({
      text: 'an idle node takes at most 1 % of a core, of 16 and 64',
      measured: '0.94 %, 0.78 %',
      isMet: true
    })
    expect(idleGoal(idle(16, 0.9), idle(64, 1.1))?.isMet).toBe(false)
  })
})
