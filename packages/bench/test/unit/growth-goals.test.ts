import { describe, expect, it } from 'vitest'
import { goalsOf } from '../../src/scenarios/growth/goals.ts'
import type { RealFigures } from '../../src/scenarios/growth/real/measure-real.ts'

/** Nodes that take so much of a core together while idle. */
function idling(nodes: number, share: number | undefined): RealFigures {
  return {
    nodes,
    build: { tookMs: 1, usedBytes: 1, residentBytes: 1 },
    idle: share === undefined ? undefined : { share, connections: 1 },
    connections: 1,
    clientConnections: 1,
    operations: []
  }
}

function idleGoal(...real: readonly RealFigures[]) {
  return goalsOf(real, []).find(({ text }) => text.startsWith('a node idles'))
}

describe('the goals of growth', () => {
  it('are neither met nor missed by what was not measured', () => {
    expect(goalsOf([], []).map(({ isMet }) => isMet)).toEqual(Array(5).fill(undefined))
    expect(idleGoal(idling(256, undefined))?.isMet).toBeUndefined()
  })

  it('hold a node to a hundredth of a core while idle, whatever the size', () => {
    expect(idleGoal(idling(16, 0.15), idling(64, 0.5), idling(256, undefined))).toEqual({
      text: 'a node idles under 1 % of a core, of 16 and 64',
      measured: '0.938 % and 0.781 %',
      isMet: true
    })
    expect(idleGoal(idling(16, 0.15), idling(64, 0.7))?.isMet).toBe(false)
  })
})
