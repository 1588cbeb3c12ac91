import type { PeerInfo } from '@libp2p/interface'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { NearPeers } from '../../src/peers/near-peers.ts'
import { PeerIndex } from '../../src/peers/peer-index.ts'
import { contacts, nearestFirst, pointOf } from '../support/numbered-peers.ts'

const KEY = Uint8Array.of(3)
const peers = contacts(12)
const [self, other] = peers as [PeerInfo, PeerInfo]

function near(known: Iterable<PeerInfo>, count: number): NearPeers {
  const index = new PeerIndex()

  for (const contact of known) {
    index.set(contact)
  }

  return new NearPeers({ nearest: (point, count) => index.nearest(point, count) }, KEY, count)
}

function without(peer: PeerInfo): PeerInfo[] {
  return peers.filter((one) => one !== peer)
}

describe('NearPeers', () => {
  it('lists the nearest peers besides one, whether it is among them or not', () => {
    fc.assert(
      fc.property(
        fc.subarray(peers),
        fc.constantFrom(...peers),
        fc.nat(12),
        (known, one, count) => {
          const others = known.filter((peer) => peer !== one)

          expect(near(known, count).besides(one.id)).toEqual(
            nearestFirst(pointOf(KEY), others).slice(0, count)
          )
        }
      )
    )
  })

  it('has equal digests for two peers that know the same others, and different ones else (N4)', () => {
    const subset = fc.subarray(peers)

    fc.assert(
      fc.property(subset, subset, fc.nat(12), (mine, theirs, count) => {
        const [a, b] = [near(mine, count), near(theirs, count)]
        const isSame = equalNames(a.besides(other.id), b.besides(self.id))

        expect(a.digestBesides(other.id) === b.digestBesides(self.id)).toBe(isSame)
      })
    )
    const [a, b] = [near(without(self), 5), near(without(other), 5)]
    expect(a.digestBesides(other.id)).toBe(b.digestBesides(self.id))
  })
})

function equalNames(a: readonly PeerInfo[], b: readonly PeerInfo[]): boolean {
  return a.length === b.length && a.every(({ id }, i) => b[i]?.id.equals(id))
}
