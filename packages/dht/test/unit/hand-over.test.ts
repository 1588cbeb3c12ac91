import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { newOwners, type OwnerChange, replicationTargets } from '../../src/upkeep/hand-over.ts'

/** A peer as a number, nearest first, so that sorted lists are in the order of their distance. */
type Peer = number

const REPLICAS = 5

interface History {
  readonly before: readonly Peer[]
  readonly joined: readonly Peer[]
  readonly left: readonly Peer[]
}

/** Peers that were present, came and left. At least one of the nearest stays. */
const history: fc.Arbitrary<History> = fc
  .record({
    before: fc.uniqueArray(fc.nat(40), { minLength: 1, maxLength: 20 }),
    joined: fc.uniqueArray(fc.nat(40), { maxLength: 20 }),
    left: fc.subarray(Array.from({ length: 41 }, (_, i) => i))
  })
  .map(({ before, joined, left }) => ({
    before: sorted(before),
    joined: joined.filter((peer) => !before.includes(peer)),
    left: left.filter((peer) => before.includes(peer))
  }))
  .filter(({ before, left }) => before.slice(0, REPLICAS).some((peer) => !left.includes(peer)))

function sorted(peers: Iterable<Peer>): Peer[] {
  return [...peers].sort((a, b) => a - b)
}

function peersAfter({ before, joined, left }: History): Peer[] {
  return sorted([...before, ...joined].filter((peer) => !left.includes(peer)))
}

/** Returns the hand-overs of each holder. */
function handedOver(history: History): Map<Peer, Peer[]> {
  const after = peersAfter(history)
  const holders = history.before.slice(0, REPLICAS).filter((peer) => after.includes(peer))
  return new Map(holders.map((self) => [self, newOwners(changeFor(self, history))]))
}

function changeFor(
  self: Peer,
  history: History,
  differences: Partial<OwnerChange<Peer>> = {}
): OwnerChange<Peer> {
  const after = peersAfter(history)
  return {
    self,
    before: history.before.slice(0, REPLICAS),
    after: after.slice(0, REPLICAS),
    isThere: (peer) => after.includes(peer),
    isFresh: () => false,
    wasReady: () => true,
    ...differences
  }
}

describe('newOwners', () => {
  it('brings the record to each of the nearest that did not hold it, once', () => {
    fc.assert(
      fc.property(history, (history) => {
        const nearest = peersAfter(history).slice(0, REPLICAS)
        const lacking = nearest.filter((peer) => !history.before.slice(0, REPLICAS).includes(peer))
        const sent = [...handedOver(history).values()].flat()

        expect(sorted(sent)).toEqual(lacking)
      })
    )
  })

  it('has one of those that held it do that, the nearest that is still there', () => {
    fc.assert(
      fc.property(history, (history) => {
        const sending = [...handedOver(history)].filter(([, to]) => to.length > 0)
        const [nearest] = sorted(handedOver(history).keys())

        expect(sending.map(([peer]) => peer)).toEqual(sending.length > 0 ? [nearest] : [])
      })
    )
  })

  it('sends nothing when nobody came near and nobody near left', () => {
    const farOnes = { before: [1, 2, 3, 4, 5, 6], joined: [7, 8], left: [6] }

    expect([...handedOver(farOnes).values()].flat()).toEqual([])
  })

  it('relies on no peer that was being handed records itself when another one came', () => {
    const twice = { before: [2, 3, 4, 5, 6], joined: [1], left: [] }
    const wasReady = (peer: Peer): boolean => peer !== 2

    expect(newOwners(changeFor(2, twice, { wasReady }))).toEqual([1])
    expect(newOwners(changeFor(3, twice, { wasReady }))).toEqual([1])
    expect(newOwners(changeFor(4, twice, { wasReady }))).toEqual([])
  })

  it('gives the record once more to peers that one which is gone may not have given it', () => {
    const lost = { before: [1, 2, 3, 4, 5, 6], joined: [], left: [2] }
    const isFresh = (peer: Peer): boolean => peer === 1

    expect(newOwners(changeFor(3, lost, { isFresh, wasReady: (peer) => peer !== 1 }))).toEqual([
      1, 6
    ])
    expect(newOwners(changeFor(4, lost, { isFresh }))).toEqual([])
  })

  it('has a distant holder hand the record over when all near ones are gone', () => {
    const lost = { before: [1, 2, 3, 4, 5, 9], joined: [6], left: [1, 2, 3, 4, 5] }

    expect(newOwners(changeFor(9, lost))).toEqual([6])
  })
})

describe('replicationTargets', () => {
  it('has the nearest bring the record to all others, and the second one to the nearest', () => {
    const peers = [1, 2, 3, 4, 5]

    expect(peers.map((self) => replicationTargets(self, peers))).toEqual([
      [2, 3, 4, 5],
      [1],
      [],
      [],
      []
    ])
  })

  it('has no peer hand it over that is alone, or not near', () => {
    expect(replicationTargets(1, [1])).toEqual([])
    expect(replicationTargets(1, [])).toEqual([])
    expect(replicationTargets(9, [1, 2])).toEqual([])
  })
})
