import type { PeerId } from '@libp2p/interface'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { pointOfPeer, roughDistance, sharedBits } from '../../src/peers/key-space.ts'
import {
  BUCKET_SIZE,
  ESTABLISHED_MS,
  FRESH_MS,
  RoutingTable
} from '../../src/peers/routing-table.ts'
import { MAX_NEAR_PER_HOST, NEIGHBOURHOOD } from '../../src/peers/table-rules.ts'
import { contacts } from '../support/numbered-peers.ts'

const [self, ...peers] = contacts(1500)
const own = (self as { id: PeerId }).id

function tableOf(): {
  table: RoutingTable
  found: string[]
  lost: string[]
  clock: { ms: number }
} {
  const clock = { ms: 0 }
  const found: string[] = []
  const lost: string[] = []
  const table = new RoutingTable({
    self: own,
    nowMs: () => clock.ms,
    onFound: (peer) => found.push(peer.toString()),
    onLost: ({ id }) => lost.push(id.toString())
  })
  return { table, found, lost, clock }
}

function bitsOf(peer: PeerId): number {
  return sharedBits(pointOfPeer(own), pointOfPeer(peer))
}

function distanceOf(peer: PeerId): number {
  return roughDistance(pointOfPeer(own), pointOfPeer(peer))
}

describe('RoutingTable', () => {
  it('knows all nearest peers, in whatever order they answer (N10b)', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(peers, { minLength: 400 }), (order) => {
        const { table } = tableOf()

        for (const peer of order) {
          table.add(peer, 'one')
        }

        const expected = order.map(({ id }) => id).sort((a, b) => distanceOf(a) - distanceOf(b))
        expect(table.nearest(pointOfPeer(own), NEIGHBOURHOOD).map(({ id }) => String(id))).toEqual(
          expected.slice(0, NEIGHBOURHOOD).map(String)
        )
      }),
      { numRuns: 10 }
    )
  })

  it('holds no more than its buckets and neighbourhoods have room for (N10b)', () => {
    const { table } = tableOf()

    for (const [i, peer] of peers.entries()) {
      table.add(peer, `host ${i % 7}`)
    }

    expect(table.size).toBeLessThanOrEqual(64 * BUCKET_SIZE + 2 * NEIGHBOURHOOD)
    expect([...table.entries()]).toHaveLength(table.size)
  })

  it('has a bucket for each distance among those that begin as this node does (N10b)', () => {
    const { table } = tableOf()
    const sharing = contacts(12_000).filter(({ id }) => bitsOf(id) >= 6 && !id.equals(own))

    for (const peer of sharing) {
      table.add(peer, 'one')
    }

    for (const bits of [6, 7, 8]) {
      const there = sharing.filter(({ id }) => bitsOf(id) === bits)
      const known = there.filter(({ id }) => table.has(id))
      expect(there.length).toBeGreaterThan(BUCKET_SIZE)
      expect(known.length).toBeGreaterThanOrEqual(BUCKET_SIZE)
    }
  })

  it('keeps established neighbours when new ids flood it (N10b)', () => {
    const { table, clock } = tableOf()
    const settled = peers.slice(0, 60)

    for (const peer of settled) {
      table.add(peer, 'one')
    }

    const neighbours = table.nearest(pointOfPeer(own), NEIGHBOURHOOD)
    clock.ms = ESTABLISHED_MS

    for (const peer of peers.slice(60)) {
      table.add(peer, 'two')
    }

    expect(neighbours.filter(({ id }) => !table.has(id))).toEqual([])
  })

  it('keeps half of a neighbourhood for other machines than the one with most ids (N10b)', () => {
    const { table } = tableOf()
    const honest = peers.slice(0, 20)

    for (const [i, peer] of honest.entries()) {
      table.add(peer, `host ${i}`)
    }

    const before = table.neighbours(MAX_NEAR_PER_HOST).map(({ id }) => String(id))

    for (const peer of peers.slice(20)) {
      table.add(peer, 'flood')
    }

    const after = table.neighbours(NEIGHBOURHOOD).map(({ id }) => String(id))
    expect(after).toHaveLength(NEIGHBOURHOOD)
    expect(before.filter((name) => !after.includes(name))).toEqual([])
  })

  it('lets a machine with one id in, where another one has filled the bucket (N10b)', () => {
    const { table } = tableOf()

    const refused = peers.filter((peer) => !table.add(peer, 'flood'))
    expect(refused.length).toBeGreaterThan(0)
    expect(table.add(refused[0] as (typeof peers)[0], 'elsewhere')).toBe(true)
  })

  it('keeps established contacts that answer, whatever comes from their machine (N10b)', () => {
    const { table, clock, lost } = tableOf()
    const settled = peers.slice(0, 700).filter((peer) => table.add(peer, 'one'))
    lost.length = 0
    const established = settled.filter(({ id }) => table.has(id))
    clock.ms = ESTABLISHED_MS

    for (const peer of peers.slice(700)) {
      table.add(peer, 'one')
    }

    expect(established.filter(({ id }) => !table.has(id))).toEqual([])
  })

  it('loses a peer that fails twice in a row, and not one that answers in between (N10b)', () => {
    const { table, lost } = tableOf()
    const [one, two] = peers as [(typeof peers)[0], (typeof peers)[0]]
    table.add(one, 'one')
    table.add(two, 'one')
    table.countFailure(one.id)
    table.countFailure(two.id)
    table.add(two, 'one')
    table.countFailure(one.id)
    table.countFailure(two.id)

    expect(lost).toEqual([String(one.id)])
    expect(table.has(two.id)).toBe(true)
  })

  it('tells of each peer once, and of what it lost once (N10b)', () => {
    const { table, found, lost } = tableOf()
    const [one] = peers as [(typeof peers)[0]]
    table.add(one, 'one')
    table.add(one, 'one')
    table.remove(one.id)
    table.remove(one.id)

    expect(found).toEqual([String(one.id)])
    expect(lost).toEqual([String(one.id)])
  })

  it('names a peer to be checked only when it has long been silent (N10b)', () => {
    const { table, clock } = tableOf()
    const [one] = peers as [(typeof peers)[0]]
    table.add(one, 'one')
    expect(table.stalest(one.id)).toBeUndefined()
    clock.ms = FRESH_MS + 1
    expect(table.stalest(one.id)?.id).toBe(one.id)
  })

  it('is never its own neighbour (N10b)', () => {
    const { table } = tableOf()
    expect(table.add({ id: own, multiaddrs: [] }, 'one')).toBe(false)
    expect(table.size).toBe(0)
  })
})
