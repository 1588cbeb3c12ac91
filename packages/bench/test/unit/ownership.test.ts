import { describe, expect, it } from 'vitest'
import { Ownership } from '../../src/scenarios/handover/ownership.ts'

const at = (high: number) => ({ high, low: 0 })

describe('Ownership', () => {
  it('counts each record once for each node that becomes one of its nearest', () => {
    const ownership = new Ownership([at(0), at(8)], 2)

    expect(ownership.add([at(1), at(9)])).toBe(4)
    // It is nearer to the first record than 9 is. The second one's nodes stay.
    expect(ownership.add([at(2)])).toBe(1)
    expect(ownership.isOwner(0, at(2))).toBe(true)
    expect(ownership.isOwner(0, at(9))).toBe(false)
    expect(ownership.isOwner(1, at(1))).toBe(true)
  })
})
