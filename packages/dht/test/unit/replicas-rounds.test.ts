import { EMPTY_RECORD, recordKey, subkeyRecord } from '@waggle/record'
import { describe, expect, it } from 'vitest'
import { DEFAULT_NUM_REPLICAS, SEARCH_WIDTH } from '../../src/constants.ts'
import { ACTIVE } from '../support/cancellation.ts'
import { turns } from '../support/end-of-turn.ts'
import { Simulation, START } from '../support/simulated-replicas.ts'

const KEY = recordKey('party')
const ALICE = subkeyRecord('alice', 'yes', START + 100)

/** Counts the peers asked after each round of requests. */
async function rounds(net: Simulation, asked: number): Promise<number[]> {
  const counts = new Set<number>()

  while (net.requests.length < asked) {
    await turns()
    counts.add(net.requests.length)
  }

  return [...counts]
}

/** Lets the nearest peers report settled neighbours. */
function settle(net: Simulation, count: number): void {
  for (const peer of net.peers.slice(0, count)) {
    peer.isSettled = true
  }
}

describe('Replicas.read', () => {
  it('finds out in three rounds that nothing is there: from one, the other replicas, all others (N5)', async () => {
    const net = new Simulation(KEY, { size: 30 })
    const reading = net.replicas.read(KEY, { cancellation: ACTIVE })

    expect(await rounds(net, SEARCH_WIDTH)).toEqual([1, DEFAULT_NUM_REPLICAS, SEARCH_WIDTH])
    expect((await reading).record).toBe(EMPTY_RECORD)
  })

  it('takes the word of the replicas alone if none of them has a new neighbour (N5)', async () => {
    const net = new Simulation(KEY, { size: 30 })
    settle(net, DEFAULT_NUM_REPLICAS)
    const reading = net.replicas.read(KEY, { cancellation: ACTIVE })

    expect(await rounds(net, DEFAULT_NUM_REPLICAS)).toEqual([1, DEFAULT_NUM_REPLICAS])
    expect((await reading).record).toBe(EMPTY_RECORD)
    expect(net.requests).toHaveLength(DEFAULT_NUM_REPLICAS)
  })

  it('takes the word of this node as of the other replicas', async () => {
    const net = new Simulation(KEY, { size: 30, selfRank: 0 })
    settle(net, DEFAULT_NUM_REPLICAS)

    expect((await net.replicas.read(KEY, { cancellation: ACTIVE })).record).toBe(EMPTY_RECORD)
    expect(net.requests).toHaveLength(DEFAULT_NUM_REPLICAS - 1)

    net.self.isSettled = false
    net.peer(SEARCH_WIDTH - 1).store.apply(KEY, ALICE)

    expect((await net.replicas.read(KEY, { cancellation: ACTIVE })).record).toEqual(ALICE)
  })

  it.each([1, DEFAULT_NUM_REPLICAS - 1])(
    'asks on if replica %i has a new neighbour, which may not have been handed the record yet',
    async (rank) => {
      const net = new Simulation(KEY, { size: 30 })
      settle(net, DEFAULT_NUM_REPLICAS)
      net.peer(rank).isSettled = false
      net.peer(SEARCH_WIDTH - 1).store.apply(KEY, ALICE)

      expect((await net.replicas.read(KEY, { cancellation: ACTIVE })).record).toEqual(ALICE)
    }
  )

  it.each(['fails', 'hangs'] as const)(
    'asks on if a replica %s, whatever the others say',
    async (how) => {
      const net = new Simulation(KEY, { size: 30, requestTimeoutMs: 20 })
      settle(net, DEFAULT_NUM_REPLICAS)
      net.peer(2)[how] = 'always'
      net.peer(SEARCH_WIDTH - 1).store.apply(KEY, ALICE)

      expect((await net.replicas.read(KEY, { cancellation: ACTIVE })).record).toEqual(ALICE)
    }
  )

  it('finds what a single replica holds, whatever the others say', async () => {
    const net = new Simulation(KEY, { size: 30 })
    settle(net, DEFAULT_NUM_REPLICAS)
    net.peer(3).store.apply(KEY, ALICE)

    expect((await net.replicas.read(KEY, { cancellation: ACTIVE })).record).toEqual(ALICE)
  })

  it('asks all replicas at once after many misses in a row, and one after a hit (N5)', async () => {
    const net = new Simulation(KEY, { size: 30 })
    settle(net, DEFAULT_NUM_REPLICAS)
    const miss = () => net.replicas.read(KEY, { cancellation: ACTIVE })

    for (let i = 0; i < 8; i++) {
      net.requests.length = 0
      const reading = miss()
      expect(await rounds(net, DEFAULT_NUM_REPLICAS)).toEqual([1, DEFAULT_NUM_REPLICAS])
      await reading
    }

    net.requests.length = 0
    const reading = miss()
    expect(await rounds(net, DEFAULT_NUM_REPLICAS)).toEqual([DEFAULT_NUM_REPLICAS])
    await reading

    net.peer(0).store.apply(KEY, ALICE)
    expect((await miss()).record).toEqual(ALICE)
    net.requests.length = 0
    expect((await miss()).record).toEqual(ALICE)
    expect(net.requests).toHaveLength(1)
  })

  it('finds in two rounds what the nearest peer lacks', async () => {
    const net = new Simulation(KEY, { size: 30 })
    net.peer(DEFAULT_NUM_REPLICAS - 1).store.apply(KEY, ALICE)
    const reading = net.replicas.read(KEY, { cancellation: ACTIVE })

    expect(await rounds(net, DEFAULT_NUM_REPLICAS)).toEqual([1, DEFAULT_NUM_REPLICAS])
    expect((await reading).record).toEqual(ALICE)
  })
})
