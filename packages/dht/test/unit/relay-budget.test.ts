import { describe, expect, it } from 'vitest'
import {
  MAX_CIRCUITS,
  MAX_CIRCUITS_PER_PEER,
  RELAYED_BYTES_PER_SECOND,
  RELAYED_BYTES_PER_SECOND_PER_PEER,
  RelayBudget
} from '../../src/node/relay-budget.ts'

describe('RelayBudget', () => {
  it('gives each peer a few relayed connections at once (N13g)', () => {
    const budget = new RelayBudget(() => 0)
    const open = Array.from({ length: MAX_CIRCUITS_PER_PEER }, () => budget.open('a'))
    expect(open.every((close) => close !== undefined)).toBe(true)
    expect(budget.open('a')).toBeUndefined()

    open[0]?.()
    open[0]?.()
    expect(budget.open('a')).toBeDefined()
    expect(budget.open('a')).toBeUndefined()
  })

  it('limits how often a peer opens one (N13g)', () => {
    let nowMs = 0
    const budget = new RelayBudget(() => nowMs)
    let opened = 0

    for (let close = budget.open('a'); close !== undefined; close = budget.open('a')) {
      opened++
      close()
    }

    expect(opened).toBe(8)
    nowMs += 2000
    expect(budget.open('a')).toBeDefined()
  })

  it('limits those of all peers (N13g)', () => {
    const budget = new RelayBudget(() => 0)
    let opened = 0

    for (let peer = 0; peer < MAX_CIRCUITS; peer++) {
      opened += Number(budget.open(`peer ${peer}`) !== undefined)
      opened += Number(budget.open(`peer ${peer}`) !== undefined)
    }

    expect(opened).toBe(MAX_CIRCUITS)
  })

  it('has senders wait that exceed their share, and all when all do (N13g)', () => {
    let nowMs = 0
    const budget = new RelayBudget(() => nowMs)
    expect(budget.pass('a', RELAYED_BYTES_PER_SECOND_PER_PEER)).toBe(0)
    expect(budget.pass('a', RELAYED_BYTES_PER_SECOND_PER_PEER)).toBe(1000)
    expect(budget.pass('b', 1)).toBe(0)
    nowMs += 1000

    for (let peer = 0; peer < 16; peer++) {
      budget.pass(`peer ${peer}`, RELAYED_BYTES_PER_SECOND / 8)
    }

    expect(budget.pass('another', 1)).toBeGreaterThan(900)
  })
})
