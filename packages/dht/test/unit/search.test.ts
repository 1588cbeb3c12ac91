import type { PeerInfo } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect, it } from 'vitest'
import type { PeerRank } from '../../src/lookup/peer-ranking.ts'
import { Search } from '../../src/lookup/search.ts'
import {
  contactOf,
  contacts,
  nearestFirst,
  peerNumber,
  pointOf
} from '../support/numbered-peers.ts'

const target = pointOf(Uint8Array.of(1))
const peers = nearestFirst(target, contacts(10))

function searchFor(count: number, known: Iterable<PeerInfo> = peers): Search {
  const search = new Search({ target, count })
  search.add(known)
  return search
}

/** Asks the nearest of the peers that the search wants to query. */
function next(search: Search): PeerInfo | undefined {
  const [contact] = search.choices()

  if (contact !== undefined) {
    search.recordRequest(contact)
  }

  return contact
}

/** Lists the peers that the search queries while none of them answers. */
function wanted(search: Search): PeerInfo[] {
  const asked: PeerInfo[] = []

  for (let contact = next(search); contact !== undefined; contact = next(search)) {
    asked.push(contact)
  }

  return asked
}

describe('Search', () => {
  it('asks the nearest first, and no more than it was told to find (N6)', () => {
    expect(wanted(searchFor(3, peers.toReversed()))).toEqual(peers.slice(0, 3))
  })

  it('leaves the choice among these, and offers no chosen peer again (N4)', () => {
    const search = searchFor(4)
    expect(search.choices()).toEqual(peers.slice(0, 4))

    search.recordRequest(peers[2] as PeerInfo)
    expect(search.choices()).toEqual([peers[0], peers[1], peers[3]])
    search.recordRequest(peers[0] as PeerInfo)
    search.recordResponse(peers[2] as PeerInfo)
    expect(search.choices()).toEqual([peers[1], peers[3]])
    search.recordFailure(peers[0] as PeerInfo)
    expect(search.choices()).toEqual([peers[1], peers[3], peers[4]])
  })

  it('offers a nearer peer as soon as it is named, and those no more that it takes the place of', () => {
    const search = searchFor(2, peers.slice(4))
    search.recordRequest(peers[4] as PeerInfo)
    search.recordResponse(peers[4] as PeerInfo, peers.slice(0, 1))

    expect(search.choices()).toEqual([peers[0]])
  })

  it('asks everybody when it knows fewer than it was told to find', () => {
    expect(wanted(searchFor(20))).toEqual(peers)
  })

  it('says whether an answer names any peer that is to be asked', () => {
    const search = searchFor(2, peers.slice(2, 6))

    expect(search.recordResponse(peers[2] as PeerInfo, peers.slice(2))).toBe(false)
    expect(search.recordResponse(peers[3] as PeerInfo, peers.slice(1))).toBe(true)
    expect(search.recordResponse(peers[1] as PeerInfo, peers.slice(1))).toBe(false)
  })

  it('asks nobody twice, however often others name a peer', () => {
    const search = searchFor(3)
    const asked = wanted(search)

    for (const contact of asked) {
      search.recordResponse(contact, peers)
    }

    expect(wanted(search)).toEqual([])
  })

  it('is done when the nearest have answered, and not while one of them is awaited', () => {
    const search = searchFor(2)
    const [first, second] = wanted(search) as [PeerInfo, PeerInfo]

    search.recordResponse(second)
    expect(search.isDone).toBe(false)
    search.recordResponse(first)
    expect(search.isDone).toBe(true)
    expect(search.answers()).toEqual([first, second])
  })

  it('is done from the start when it knows nobody', () => {
    expect(searchFor(5, []).isDone).toBe(true)
  })

  it('goes on with a nearer peer that an answer names', () => {
    const [nearest, ...others] = peers as [PeerInfo, ...PeerInfo[]]
    const search = searchFor(2, others)
    const asked = wanted(search)

    for (const contact of asked) {
      search.recordResponse(contact, [nearest])
    }

    expect(search.isDone).toBe(false)
    expect(wanted(search)).toEqual([nearest])
    search.recordResponse(nearest)
    expect(search.answers()).toEqual([nearest, others[0]])
  })

  it('takes the next nearest for a peer that fails (N6)', () => {
    const search = searchFor(2)
    const [first, second] = wanted(search) as [PeerInfo, PeerInfo]

    search.recordFailure(first)
    search.recordResponse(second)

    expect(search.isDone).toBe(false)
    expect(wanted(search)).toEqual([peers[2]])
  })

  it('takes the next nearest for a peer that fails after its answer (N6)', () => {
    const search = searchFor(2)

    for (const contact of wanted(search)) {
      search.recordResponse(contact)
    }

    search.recordFailure(peers[0] as PeerInfo)

    expect(search.isDone).toBe(false)
    expect(search.answers()).toEqual([peers[1]])
    expect(wanted(search)).toEqual([peers[2]])
  })

  it('does not ask a peer that failed again when it is named again', () => {
    const search = searchFor(1)
    search.recordFailure(next(search) as PeerInfo)
    search.recordResponse(next(search) as PeerInfo, peers)

    expect(wanted(search)).toEqual([])
    expect(search.answers()).toEqual([peers[1]])
  })

  it('asks avoided peers only when others are too few (N8c)', () => {
    const avoided = new Set(peers.slice(0, 4))
    const search = new Search({
      target,
      count: 8,
      rankOf: (contact) => (avoided.has(contact) ? 'last' : 'first')
    })
    search.add(peers)

    expect(wanted(search)).toEqual([...peers.slice(4), ...peers.slice(0, 2)])
  })

  it('asks nothing of banned peers, even if others name them, and other peers instead (N9c)', () => {
    const banned = new Set(peers.slice(0, 3))
    const rankOf = (contact: PeerInfo): PeerRank => (banned.has(contact) ? 'never' : 'first')
    const nearest = (_: Uint8Array, count: number): PeerInfo[] => peers.slice(0, count)
    const search = new Search({ target, count: 2, nearest, rankOf })
    expect(search.hasBanned).toBe(true)
    expect(wanted(search)).toEqual(peers.slice(3, 5))

    expect(search.recordResponse(peers[3] as PeerInfo, peers.slice(0, 3))).toBe(false)
    search.recordResponse(peers[4] as PeerInfo, peers.slice(0, 3))
    expect(search.isDone).toBe(true)
    expect(search.answers()).toEqual(peers.slice(3, 5))
  })

  it('says of each named peer which one named it', () => {
    const named: unknown[] = []
    const search = new Search({
      target,
      count: 2,
      rankOf: (contact, referrer) => {
        named.push([contact, referrer])
        return 'first'
      }
    })
    const [a, b, c] = peers as [PeerInfo, PeerInfo, PeerInfo]
    const elsewhere = { ...b, multiaddrs: [multiaddr('/ip4/10.0.0.1/tcp/1')] }
    search.add([a])
    search.recordResponse(a, [a, b])
    search.recordResponse(b, [])
    search.recordResponse(c, [b])
    expect(named).toEqual([
      [a, undefined],
      [b, a]
    ])

    search.recordResponse(a, [c])
    search.recordResponse(b, [{ ...c, multiaddrs: elsewhere.multiaddrs }])
    expect(named.slice(2)).toMatchObject([
      [c, a],
      [{ multiaddrs: elsewhere.multiaddrs }, b]
    ])
  })

  it('asks nothing of a peer that counts as answered from the start, such as this node (N6)', () => {
    const search = searchFor(3)
    search.recordResponse(peers[1] as PeerInfo)
    const asked = wanted(search)

    expect(asked).toEqual([peers[0], peers[2]])

    for (const contact of asked) {
      search.recordResponse(contact)
    }

    expect(search.answers()).toEqual(peers.slice(0, 3))
  })

  it('leaves out a peer that was struck out at the start, such as a client, even if others name it', () => {
    const self = contactOf((peers[0] as PeerInfo).id)
    const search = searchFor(2, [self, ...peers.slice(1)])
    search.recordFailure(self)

    for (const contact of wanted(search)) {
      search.recordResponse(contact, peers)
    }

    expect(search.isDone).toBe(true)
    expect(search.answers()).toEqual(peers.slice(1, 3))
  })

  it('goes on for more answers when it is widened', () => {
    const search = searchFor(2)

    for (const contact of wanted(search)) {
      search.recordResponse(contact)
    }

    search.widen(5)

    expect(search.isDone).toBe(false)
    expect(wanted(search)).toEqual(peers.slice(2, 5))
  })

  it('is never narrowed', () => {
    const search = searchFor(3)
    search.widen(1)

    expect(wanted(search)).toHaveLength(3)
  })

  it('takes in the peers that an unasked peer names, but not its answer', () => {
    const search = searchFor(2, [])
    search.recordResponse(contactOf(peerNumber(99)), peers.slice(0, 1))

    expect(search.answers()).toEqual([])
    expect(wanted(search)).toEqual(peers.slice(0, 1))
  })
})

describe('a peer that several name at different addresses', () => {
  const [nearest, other] = peers as [PeerInfo, PeerInfo]
  const peer = { ...nearest, multiaddrs: [multiaddr('/ip4/10.0.0.1/tcp/1')] }
  const elsewhere = { ...peer, multiaddrs: [multiaddr('/ip4/10.0.0.9/tcp/9')] }

  it('is asked at the others when it does not answer at the first (N4, N9h)', () => {
    const search = searchFor(1, [elsewhere, peer, other])
    expect(search.choices()).toEqual([elsewhere])
    search.recordRequest(elsewhere)
    search.recordFailure(elsewhere)
    expect(search.choices()).toEqual([peer])
    search.recordRequest(peer)
    search.recordFailure(peer)

    expect(search.choices()).toEqual([other])
  })

  it('is asked again when it is named elsewhere after it has failed (N4, N9h)', () => {
    const search = searchFor(1, [elsewhere, other])
    search.recordRequest(elsewhere)
    search.recordFailure(elsewhere)
    expect(search.recordResponse(other, [peer])).toBe(true)

    expect(search.choices()).toEqual([peer])
    expect(search.isDone).toBe(false)
  })

  it('is asked first where nothing speaks against it (N9h)', () => {
    const rankOf = (contact: PeerInfo): PeerRank => (contact === elsewhere ? 'last' : 'first')
    const search = new Search({ target, count: 1, rankOf })
    search.add([elsewhere, other, peer])
    expect(search.choices()).toEqual([peer])
    search.recordRequest(peer)
    search.recordFailure(peer)

    expect(search.choices()).toEqual([other])
  })

  it('is asked once where it is named again and again (N9h)', () => {
    const search = searchFor(1, [elsewhere, { ...elsewhere }, { ...elsewhere }])
    search.recordRequest(elsewhere)
    search.recordFailure(elsewhere)

    expect(search.choices()).toEqual([])
    expect(search.isDone).toBe(true)
  })

  it('is asked at a few of many addresses (N9h)', () => {
    const many = Array.from({ length: 50 }, (_, i) => ({
      ...peer,
      multiaddrs: [multiaddr(`/ip4/10.0.0.9/tcp/${i + 1}`)]
    }))
    const search = searchFor(1, many)

    expect(failing(search)).toBe(5)
  })

  /** Counts the queries of a search whose peers all fail. */
  function failing(search: Search): number {
    let count = 0

    for (let contact = next(search); contact !== undefined; contact = next(search)) {
      search.recordFailure(contact)
      count++
    }

    return count
  }
})
