import {
  type DHTRecord,
  EMPTY_RECORD,
  join,
  plainRecord,
  recordKey,
  subkeyRecord,
  tombstoneRecord
} from '@waggle/record'
import { DEFAULT_LIMITS } from '@waggle/record/replica'
import { describe, expect, it } from 'vitest'
import { DEFAULT_NUM_REPLICAS, SEARCH_WIDTH } from '../../src/constants.ts'
import { UnreachableError } from '../../src/errors.ts'
import type { Reading } from '../../src/reading/reading.ts'
import { RecordStore } from '../../src/store/record-store.ts'
import { ACTIVE, CANCELLED } from '../support/cancellation.ts'
import { turns } from '../support/end-of-turn.ts'
import { rejection } from '../support/rejection.ts'
import { Simulation, type SimulationOptions, START } from '../support/simulated-replicas.ts'

const KEY = recordKey('party')
const ALICE = subkeyRecord('alice', 'yes', START + 100)
const CAROL = subkeyRecord('carol', 'no', START + 200)
const LATEST = { cancellation: ACTIVE, latest: true }
const NOTHING = { record: EMPTY_RECORD, behind: [] }
const NEAREST = Array.from({ length: DEFAULT_NUM_REPLICAS }, (_, rank) => rank)

/** Makes a network in which the peers of these ranks hold these records. */
function network(
  options: SimulationOptions,
  held: Readonly<Record<number, DHTRecord>> = {}
): Simulation {
  const net = new Simulation(KEY, options)

  for (const [rank, record] of Object.entries(held)) {
    net.peer(Number(rank)).store.apply(KEY, record)
  }

  return net
}

function ranksBehind(net: Simulation, { behind }: Reading): number[] {
  return behind.map(({ id }) => net.peers.findIndex((peer) => peer.id.equals(id)))
}

describe('Replicas.read', () => {
  it('asks nobody when this node holds something good enough (N5)', async () => {
    const net = network({ size: 8, selfRank: 3 }, { 3: ALICE, 0: CAROL })

    expect(await net.replicas.read(KEY, { cancellation: ACTIVE })).toMatchObject({
      record: ALICE,
      behind: []
    })
    expect(net.requests).toEqual([])
  })

  it('takes the first good answer and waits for no other (N5)', async () => {
    const net = network({ size: 8 }, { 1: ALICE })
    net.peer(0).hangs = 'always'
    net.peer(2).hangs = 'always'

    expect(await net.replicas.read(KEY, { cancellation: ACTIVE })).toMatchObject({
      record: ALICE,
      behind: []
    })
    expect(net.ranks('find')).toEqual([0, 1])
  })

  it('takes no peer for failed whose answer it did not wait for (N8c)', async () => {
    const net = network({ size: 8 }, { 1: ALICE })
    net.peer(0).hangs = 'always'
    await net.replicas.read(KEY, { cancellation: ACTIVE })

    expect(net.book.isAvoided(net.peer(0))).toBe(false)
  })

  it('goes on until what it has is good enough for the caller (N5)', async () => {
    const held = { 0: plainRecord('early', START + 100), 3: plainRecord('late', START + 300) }
    const read = async (sufficientExpirationTime: number) =>
      (
        await network({ size: 8 }, held).replicas.read(KEY, {
          cancellation: ACTIVE,
          sufficientExpirationTime
        })
      ).record

    expect(await read(START + 100)).toEqual(held[0])
    expect(await read(START + 100.5)).toEqual(held[3])
  })

  it('gives the best there is when nothing is good enough for the caller (N5)', async () => {
    const net = network({ size: 8 }, { 0: ALICE, 3: CAROL })
    const { record } = await net.replicas.read(KEY, {
      cancellation: ACTIVE,
      sufficientExpirationTime: START + 900
    })

    expect(record).toEqual(join(ALICE, CAROL))
    expect(net.ranks('find')).toEqual(NEAREST)
  })

  it('joins what all nearest replicas hold when asked for the latest (N5)', async () => {
    const dave = subkeyRecord('dave', 'perhaps', START + 300)
    const net = network({ size: 8 }, { 0: ALICE, 2: CAROL, 4: dave })
    const { record } = await net.replicas.read(KEY, LATEST)

    expect(record).toEqual(join(join(ALICE, CAROL), dave))
    expect(net.ranks('find')).toEqual(NEAREST)
  })

  it('counts this node among the nearest when it is (N5)', async () => {
    const net = network({ size: 8, selfRank: 1 }, { 1: ALICE, 4: CAROL })

    expect((await net.replicas.read(KEY, LATEST)).record).toEqual(join(ALICE, CAROL))
    expect(net.ranks('find')).toEqual([0, 2, 3, 4])
  })

  it('does not count this node when it is a client (N6)', async () => {
    const net = network({ size: 8, selfRank: 1, isReplica: () => false }, { 5: ALICE })
    const reading = await net.replicas.read(KEY, LATEST)

    expect(net.ranks('find')).toEqual([0, 2, 3, 4, 5])
    expect(ranksBehind(net, reading)).toEqual([0, 2, 3, 4])
  })

  it('puts the next nearest in the place of those that do not answer (N8b)', async () => {
    const net = network({ size: 10 }, { 6: ALICE })
    net.peer(0).fails = 'always'
    net.peer(3).fails = 'always'

    expect((await net.replicas.read(KEY, LATEST)).record).toEqual(ALICE)
    expect(net.ranks('find')).toEqual([0, 1, 2, 3, 4, 5, 6])
  })

  it('takes a peer for failed that does not answer in time, and asks it last (N8c)', async () => {
    const net = network({ size: 10, requestTimeoutMs: 20 }, { 4: ALICE })
    net.peer(0).hangs = 'always'

    await net.replicas.read(KEY, LATEST)
    expect(net.book.isAvoided(net.peer(0))).toBe(true)
    expect(net.ranks('find')).toEqual([0, 1, 2, 3, 4, 5])

    net.requests.length = 0
    await net.replicas.read(KEY, LATEST)
    expect(net.ranks('find')).toEqual([1, 2, 3, 4, 5])
  })

  it('avoids a peer no longer that answers (N8c)', async () => {
    const net = network({ size: 4 })
    net.book.recordFailure(net.peer(0))
    await net.replicas.read(KEY, LATEST)

    expect(net.ranks('find')).toEqual([0, 1, 2])
    expect(net.book.isAvoided(net.peer(0))).toBe(false)
  })

  it.each([0.5, 1.5, 2 ** 31, 2 ** 40])('takes %d ms as the time for a request', async (ms) => {
    const net = network({ size: 8, requestTimeoutMs: ms }, { 0: ALICE })

    expect((await net.replicas.read(KEY, { cancellation: ACTIVE })).record).toEqual(ALICE)
  })

  it('finds the nearest peers that others name when it knows few (N4)', async () => {
    const net = network({ size: 12, known: (rank) => rank === 10 }, { 0: ALICE, 4: CAROL })
    const reading = await net.replicas.read(KEY, LATEST)

    expect(reading.record).toEqual(join(ALICE, CAROL))
    expect(net.ranks('find')).toEqual([...NEAREST, 10])
  })

  it('asks many more before a key counts as absent: newcomers may be nearer (N5)', async () => {
    const net = network({ size: 30 }, { 14: ALICE })
    const reading = await net.replicas.read(KEY, LATEST)

    expect(reading.record).toEqual(ALICE)
    expect(ranksBehind(net, reading)).toEqual(NEAREST)
  })

  it('asks many more, too, when this node alone would hold it, and does not (N5)', async () => {
    const net = network({ size: 30, selfRank: 0, numReplicas: 1 }, { 3: ALICE })

    expect((await net.replicas.read(KEY, { cancellation: ACTIVE })).record).toEqual(ALICE)
  })

  it.each([
    [3, 'once more', 2],
    [2, 'but once', 1]
  ])(
    'asks peers of which %i of the five nearest have failed %s before a key counts as absent (N5, N11a)',
    async (count, _, times) => {
      const net = network({ size: 30 }, { 0: ALICE })

      for (const peer of net.peers.slice(0, count)) {
        let requests = 0
        Object.defineProperty(peer, 'fails', { get: () => (requests++ === 0 ? 'always' : 'never') })
      }

      const { record } = await net.replicas.read(KEY, { cancellation: ACTIVE })
      expect(record).toEqual(times > 1 ? ALICE : EMPTY_RECORD)
      expect(net.ranks('find').filter((rank) => rank === 0)).toHaveLength(times)
    }
  )

  it('gives up when that many know nothing (N5)', async () => {
    const net = network({ size: 30 })

    expect(await net.replicas.read(KEY, { cancellation: ACTIVE })).toMatchObject(NOTHING)
    expect(net.ranks('find')).toEqual(Array.from({ length: SEARCH_WIDTH }, (_, rank) => rank))
  })

  it('asks no more than the nearest when they hold something, if only a tombstone (N5)', async () => {
    const net = network({ size: 30 }, { 2: tombstoneRecord(START + 100) })
    const { record } = await net.replicas.read(KEY, { cancellation: ACTIVE })

    expect(record).toEqual(tombstoneRecord(START + 100))
    expect(net.ranks('find')).toEqual(NEAREST)
  })

  it('finds nothing when there is nobody else and nothing here', async () => {
    const net = network({ size: 1 })

    expect(await net.replicas.read(KEY, { cancellation: ACTIVE })).toMatchObject(NOTHING)
  })

  it('does not answer with what has expired (R1)', async () => {
    const net = network({ size: 8 }, { 7: ALICE, 0: ALICE, 1: CAROL })
    net.clock.time = START + 100

    expect((await net.replicas.read(KEY, { cancellation: ACTIVE })).record).toEqual(CAROL)
  })

  it('asks nobody when it is not wanted from the start (N8a)', async () => {
    const net = network({ size: 8 }, { 0: ALICE })
    await net.replicas.read(KEY, { ...LATEST, cancellation: CANCELLED })

    expect(net.requests).toEqual([])
  })

  it('asks nobody else when it is no longer wanted, and takes nobody for failed (N8a)', async () => {
    const net = network({ size: 30 })
    const cancellation = { isCancelled: false }
    const reading = net.replicas.read(KEY, { ...LATEST, cancellation })
    await turns()
    cancellation.isCancelled = true
    await reading

    // No peer beyond the nearest ones was asked.
    expect(net.ranks('find')).toEqual(NEAREST)
    expect(net.peers.filter((peer) => net.book.isAvoided(peer))).toEqual([])
  })
})

describe('Replicas.repair', () => {
  it('sends what is missing to the nearest replicas that lack it, and to no other (N5)', async () => {
    const both = join(ALICE, CAROL)
    const net = network({ size: 10 }, { 0: both, 1: ALICE, 3: CAROL, 4: both, 6: ALICE })
    const reading = await net.replicas.read(KEY, LATEST)
    await net.replicas.repair(KEY, reading)

    expect(ranksBehind(net, reading)).toEqual([1, 2, 3])
    expect(net.ranks('store')).toEqual([1, 2, 3])
    expect(NEAREST.map((rank) => net.peer(rank).store.get(KEY))).toEqual(NEAREST.map(() => both))
    expect(net.peer(6).store.get(KEY)).toEqual(ALICE)
  })

  it('brings this node up to date when it is one of them (N5)', async () => {
    const net = network({ size: 10, selfRank: 2 }, { 0: ALICE, 1: ALICE, 3: ALICE, 4: ALICE })
    const reading = await net.replicas.read(KEY, LATEST)
    await net.replicas.repair(KEY, reading)

    expect(net.self.store.get(KEY)).toEqual(ALICE)
    expect(net.ranks('store')).toEqual([])
  })

  it('finds nobody behind when all agree (N5)', async () => {
    const net = network({ size: 10 }, { 0: ALICE, 1: ALICE, 2: ALICE, 3: ALICE, 4: ALICE })

    expect((await net.replicas.read(KEY, LATEST)).behind).toEqual([])
  })

  it('finds nobody behind when all agree on more subkeys than the default limit (N5, R13)', async () => {
    const limits = { ...DEFAULT_LIMITS, maxSubkeys: DEFAULT_LIMITS.maxSubkeys + 1 }
    const store = new RecordStore({ limits, clock: () => START })
    const net = network({ size: 2, store, selfRank: 1 })
    const crowd: DHTRecord = {
      subkeys: new Map(
        Array.from({ length: limits.maxSubkeys }, (_, i) => [
          String.fromCharCode(0x19, 0x40 + (i >> 8), i & 0xff),
          { expirationTime: START + 100, value: Uint8Array.of(1) }
        ])
      )
    }
    store.apply(KEY, crowd)
    net.peer(0).store = store

    const { record, behind } = await net.replicas.read(KEY, LATEST)

    expect(record).toEqual(crowd)
    expect(behind).toEqual([])
  })

  it('leaves those as they are that fail, and rejects for none of them (N5, N8b)', async () => {
    const net = network({ size: 10 }, { 0: ALICE })
    net.peer(1).fails = 'to store'
    const reading = await net.replicas.read(KEY, LATEST)
    await net.replicas.repair(KEY, reading)

    expect(net.holders(KEY)).toEqual([0, 2, 3, 4])
    expect(net.book.isAvoided(net.peer(1))).toBe(true)
  })

  it('gives a silent peer its time, and takes it for failed then (N8c)', async () => {
    const net = network({ size: 10, requestTimeoutMs: 20 }, { 0: ALICE })
    net.peer(1).hangs = 'to store'
    const reading = await net.replicas.read(KEY, LATEST)
    const repairing = net.replicas.repair(KEY, reading)

    await expect.poll(() => net.book.isAvoided(net.peer(1))).toBe(true)
    await repairing
    expect(net.holders(KEY)).toEqual([0, 2, 3, 4])
  })

  it('brings the others up to date while one is silent (N5, N8b)', async () => {
    const net = network({ size: 10 }, { 0: ALICE })
    net.peer(1).hangs = 'to store'
    const reading = await net.replicas.read(KEY, LATEST)
    net.replicas.repair(KEY, reading).catch(() => {})

    await expect.poll(() => net.holders(KEY)).toEqual([0, 2, 3, 4])
  })
})

describe('Replicas.findNearestPeers', () => {
  async function nearestRanks(net: Simulation, count: number): Promise<number[]> {
    const ids = await net.replicas.findNearestPeers(KEY, count, ACTIVE)
    return ids.map((id) => net.peers.findIndex((peer) => peer.id.equals(id)))
  }

  it('names the nearest peers that answer, nearest first, without this node', async () => {
    const net = network({ size: 12, selfRank: 1 })
    net.peer(3).fails = 'always'

    expect(await nearestRanks(net, 4)).toEqual([0, 2, 4, 5])
  })

  it('names all when there are fewer than asked for', async () => {
    expect(await nearestRanks(network({ size: 4 }), 50)).toEqual([0, 1, 2])
  })
})

describe('Replicas.read, when peers do not answer', () => {
  /** Lets all other peers fail, from this rank on. */
  function silentFrom(net: Simulation, rank: number): void {
    for (const peer of net.peers.slice(rank)) {
      peer.fails = 'always'
    }
  }

  it('rejects, and says how many were asked: what nobody denies is not absent (N5, N11a)', async () => {
    const net = network({ size: 4 })
    silentFrom(net, 0)

    const error = await rejection(net.replicas.read(KEY, { cancellation: ACTIVE }))
    expect(error).toBeInstanceOf(UnreachableError)
    expect(error).toMatchObject({ failedPeers: 3 })
    await expect(net.replicas.read(KEY, LATEST)).rejects.toBeInstanceOf(UnreachableError)
  })

  it('finds nothing when most of those that could hold it answer (N11a)', async () => {
    const net = network({ size: 4 })
    silentFrom(net, 2)

    expect((await net.replicas.read(KEY, { cancellation: ACTIVE })).record).toBe(EMPTY_RECORD)
  })

  it('gives what this node holds itself, latest or not (N5)', async () => {
    const net = network({ size: 4 }, { 3: ALICE })
    silentFrom(net, 0)

    expect((await net.replicas.read(KEY, { cancellation: ACTIVE })).record).toEqual(ALICE)
    expect((await net.replicas.read(KEY, LATEST)).record).toEqual(ALICE)
  })

  it('finds nothing on a server that knows nobody, as it is the whole network, and rejects on a client', async () => {
    const known = (): boolean => false
    const alone = network({ size: 4, known })
    expect((await alone.replicas.read(KEY, LATEST)).record).toBe(EMPTY_RECORD)

    const client = network({ size: 4, known, isReplica: () => false })
    const error = await rejection(client.replicas.read(KEY, LATEST))
    expect(error).toMatchObject({ name: 'UnreachableError', failedPeers: 0 })
  })
})
