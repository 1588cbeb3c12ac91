import type { PeerInfo } from '@libp2p/interface'
import { describe, expect, it } from 'vitest'
import { Search } from '../../src/lookup/search.ts'
import { contacts, nearestFirst, pointOf } from '../support/numbered-peers.ts'

const target = pointOf(Uint8Array.of(1))
const peers = nearestFirst(target, contacts(400))

describe('a search among liars', () => {
  it('keeps in mind no more peers than it may, and the nearest of them (N9h)', () => {
    const search = new Search({ target, count: 20, maxCandidates: 20 })
    search.add(peers.toReversed())

    expect(search.choices()).toEqual(peers.slice(0, 20))
    search.recordFailure(peers[0] as PeerInfo)
    expect(search.choices()).toEqual(peers.slice(1, 20))
  })

  it('keeps peers that have answered, however many are named afterwards (N9h)', () => {
    const search = new Search({ target, count: 3, maxCandidates: 4 })
    const far = peers.slice(-3)
    search.add(far)

    for (const contact of far) {
      search.recordRequest(contact)
    }

    search.recordResponse(far[0] as PeerInfo, peers)
    expect(search.choices()).toEqual(peers.slice(0, 1))
    search.recordFailure(peers[0] as PeerInfo)
    search.recordResponse(far[1] as PeerInfo)
    search.recordResponse(far[2] as PeerInfo)
    expect(search.answers()).toEqual(nearestFirst(target, far))
  })

  it('asks no more peers than it may, however many are named (N9h)', () => {
    const search = new Search({ target, count: 5, maxRequests: 30 })
    search.add(peers.slice(-5))
    let asked = 0
    let named = peers.length - 5

    for (let contacts = search.choices(); contacts.length > 0; contacts = search.choices()) {
      const [contact] = contacts as [PeerInfo]
      search.recordRequest(contact)
      asked++
      named -= 5
      search.recordResponse(contact, peers.slice(Math.max(named, 0), named + 5))
    }

    expect(asked).toBe(30)
    expect(search.answers()).toHaveLength(5)
  })
})
