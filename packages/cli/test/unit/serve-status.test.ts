import { describe, expect, it } from 'vitest'
import { skewText } from '../../src/commands/serve-status.ts'

const peerId = '12D3KooWPeer'

describe('a wrong clock', () => {
  it.each([
    [-4000.4, "the clock of this machine is 4000 ms ahead of the peers' clocks: correct it"],
    [4000, "the clock of this machine is 4000 ms behind the peers' clocks: correct it"]
  ])('is this machine’s if most peers differ from it by %d ms', (medianSkewMs, text) => {
    expect(skewText({ peerId, skewMs: 9000, medianSkewMs })).toBe(text)
  })

  it.each([
    [9000, 'ahead of'],
    [-9000, 'behind']
  ])(
    'is the peer’s if most peers agree with this machine, and that one differs by %d ms',
    (skewMs, way) => {
      expect(skewText({ peerId, skewMs, medianSkewMs: 10 })).toBe(
        `the clock of the peer ${peerId} is 9000 ms ${way} this machine's: correct it there`
      )
    }
  )
})
