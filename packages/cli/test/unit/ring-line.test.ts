import { describe, expect, it } from 'vitest'
import { density, nodesOnRing } from '../../src/screens/ring-line.ts'

describe('nodesOnRing', () => {
  it('puts each node where it is, this one over others', () => {
    expect(nodesOnRing(0.5, [0, 0.51, 0.999], 10)).toBe('●────◆───●')
  })
})

describe('density', () => {
  it('shows where much is, and never hides a single one', () => {
    expect(density([0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5], 4)).toBe('▁ █ ')
  })

  it('is empty where nothing is', () => {
    expect(density([], 4)).toBe('    ')
  })
})
