import { describe, expect, it } from 'vitest'
import { TurnBudget } from '../../src/timing/turn-budget.ts'
import { turns } from '../support/end-of-turn.ts'

describe('TurnBudget', () => {
  it('adds up what is spent in one turn of the event loop', () => {
    const budget = new TurnBudget()
    budget.spend(1)
    budget.spend(0.5)
    expect(budget.spentMs).toBe(1.5)
  })

  it('begins anew with each turn', async () => {
    const budget = new TurnBudget()

    for (let turn = 0; turn < 3; turn++) {
      budget.spend(1)
      await Promise.resolve()
      expect(budget.spentMs).toBe(1)
      await turns()
      expect(budget.spentMs).toBe(0)
    }
  })

  it('begins anew when it is told to, and in the next turn all the same', async () => {
    const budget = new TurnBudget()
    budget.spend(1)
    budget.refill()
    expect(budget.spentMs).toBe(0)
    budget.spend(2)
    expect(budget.spentMs).toBe(2)
    await turns()
    expect(budget.spentMs).toBe(0)
  })
})
