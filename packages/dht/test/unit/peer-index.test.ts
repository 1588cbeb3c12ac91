import type { PeerInfo } from '@libp2p/interface'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PeerIndex } from '../../src/peers/peer-index.ts'
import { contactOf, contacts, nearestFirst, pointOf } from '../support/numbered-peers.ts'

const target = pointOf(Uint8Array.of(3))
const peers = contacts(40)

function indexOf(known: Iterable<PeerInfo>): PeerIndex {
  const index = new PeerIndex()

  for (const contact of known) {
    index.set(contact)
  }

  return index
}

describe('PeerIndex', () => {
  it('names the peers nearest to a point, nearest first (N4)', () => {
    const index = indexOf(peers)

    expect(index.nearest(target, 7)).toEqual(nearestFirst(target, peers).slice(0, 7))
  })

  it('names all when there are fewer than asked for, and nobody when nobody is known', () => {
    expect(indexOf(peers).nearest(target, 100)).toEqual(nearestFirst(target, peers))
    expect(indexOf(peers).nearest(target, 0)).toEqual([])
    expect(indexOf([]).nearest(target, 5)).toEqual([])
  })

  it('takes over the addresses of a peer that it knows', () => {
    const [first] = peers as [PeerInfo]
    const moved = contactOf(first.id)
    const index = indexOf([first, moved])

    expect(index.size).toBe(1)
    expect(index.nearest(target, 5)[0]).toBe(moved)
  })

  it('holds what was added and not taken out since, in whatever order', () => {
    const change = fc.record({ n: fc.nat(11), isAdded: fc.boolean() })

    fc.assert(
      fc.property(fc.array(change), fc.nat(12), fc.nat(), (changes, count, point) => {
        const known = new Set<PeerInfo>()
        const index = new PeerIndex()
        const from = pointOf(Buffer.from(String(point)))

        for (const { n, isAdded } of changes) {
          const peer = peers[n] as PeerInfo
          isAdded ? index.set(peer) : index.delete(peer)
          isAdded ? known.add(peer) : known.delete(peer)
        }

        expect(index.size).toBe(known.size)
        expect(index.nearest(from, count)).toEqual(nearestFirst(from, known).slice(0, count))
      })
    )
  })
})
