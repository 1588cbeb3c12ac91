import type { PeerInfo } from '@libp2p/interface'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { coveringPeers } from '../../src/lookup/covering-peers.ts'
import { contacts } from '../support/numbered-peers.ts'

const PEERS = contacts(8)
const [a, b, c, d] = PEERS as [PeerInfo, PeerInfo, PeerInfo, PeerInfo]

const choices: fc.Arbitrary<PeerInfo[][]> = fc.array(
  fc.subarray(PEERS, { minLength: 1, maxLength: 4 }),
  { maxLength: 24 }
)

function always(): boolean {
  return true
}

/** Counts the lookups that may query a peer. */
function suitedBy(peer: PeerInfo, lookups: readonly (readonly PeerInfo[])[]): number {
  return lookups.filter((each) => each.includes(peer)).length
}

describe('coveringPeers', () => {
  it('lists the peer that suits most lookups, and then those that suit most of the others (N4)', () => {
    expect(coveringPeers([[a, b], [b, c], [c, b], [c, d], [d]], always)).toEqual([b, d])
  })

  it('lists no peer of a single lookup', () => {
    expect(coveringPeers([], always)).toEqual([])
    expect(coveringPeers([[a, b]], always)).toEqual([])
    expect(
      coveringPeers(
        [
          [a, b],
          [c, d]
        ],
        always
      )
    ).toEqual([])
  })

  it('lists no peer of few among many lookups, as in a large network', () => {
    const lookups = contacts(100).map((contact) => [contact])
    expect(coveringPeers([...lookups, [a], [a]], always)).toEqual([])
  })

  it('lists each peer for at least two lookups that suit none before it, and for no fewer than any other', () => {
    fc.assert(
      fc.property(choices, fc.subarray(PEERS), (lookups, suitable) => {
        let left: PeerInfo[][] = lookups

        for (const peer of coveringPeers(lookups, (one) => suitable.includes(one))) {
          const most = Math.max(...suitable.map((one) => suitedBy(one, left)))
          expect(suitable).toContain(peer)
          expect(suitedBy(peer, left)).toBe(most)
          expect(most).toBeGreaterThan(1)
          left = left.filter((each) => !each.includes(peer))
        }

        const missed = suitable.map((one) => suitedBy(one, left))
        expect(Math.max(0, ...missed)).toBeLessThan(Math.max(2, lookups.length / 16))
      })
    )
  })
})
