import { describe, expect, it } from 'vitest'
import { peerTimeIn } from '../../src/clock/clock-protocol.ts'

function answered(time: number): Uint8Array {
  const answer = Buffer.alloc(8)
  answer.writeDoubleBE(time)
  return answer
}

describe('peerTimeIn', () => {
  it.each([0, 1_800_000_000.5, -1, 8.64e12, -8.64e12])('reads %d', (time) => {
    expect(peerTimeIn(answered(time))).toBe(time)
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 8.65e12, -1e306])(
    'takes %d for no time: the median of clocks would be none, either (N9b)',
    (time) => {
      expect(() => peerTimeIn(answered(time))).toThrow('for a time')
    }
  )
})
