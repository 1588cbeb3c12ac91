import { recordKey } from '@waggle/record'
import { describe, expect, it } from 'vitest'
import { simulatedClient } from '../../src/simulation/client.ts'
import { SimulatedNetwork } from '../../src/simulation/network.ts'
import { comparePoints, distanceOf, type Point, pointOf } from '../../src/simulation/points.ts'
import { Rounds } from '../../src/simulation/rounds.ts'
import { routingTables } from '../../src/simulation/routing-tables.ts'
import { seededRandom } from '../../src/workload/random.ts'

const NODES = 2000
const points = Array.from({ length: NODES }, (_, i) => pointOf(Buffer.from(`node ${i}`))).sort(
  comparePoints
)

describe('routingTables', () => {
  it('fills a bucket for each length of common prefix with up to 20', () => {
    const tables = routingTables(points, 'kademlia', seededRandom(1))

    for (const owner of [0, 1, 777, NODES - 1]) {
      expect(counts(owner, tables(owner), commonPrefix)).toEqual(
        atMost(20, counts(owner, everybody(owner), commonPrefix))
      )
    }
  })

  it('fills a bucket for each prefix of six bits, and knows the nearest', () => {
    const tables = routingTables(points, 'waggle', seededRandom(1))

    for (const owner of [0, 1, 777, NODES - 1]) {
      const indexes = tables(owner)
      const table = new Set(indexes)
      const nearest = nearestFirst(owner).slice(0, 32)
      const full = atMost(20, counts(owner, everybody(owner), sixBits))
      const found = counts(owner, table, sixBits)

      expect(nearest.filter((index) => !table.has(index))).toEqual([])
      expect(table.size).toBe(indexes.length)
      expect(table.has(owner)).toBe(false)

      // The owner is not in its own bucket, and the nearest come on top.
      for (const [bucket, count] of full) {
        expect(found.get(bucket)).toBeGreaterThanOrEqual(count - 1)
      }
    }
  })
})

describe('SimulatedNetwork', () => {
  it('stores records at the nearest nodes', async () => {
    const network = new SimulatedNetwork(
      { size: 500, shape: 'kademlia', deadShare: 0 },
      seededRandom(3)
    )
    const rounds = new Rounds()

    for (const key of ['a', 'b', 'c', 'd', 'e']) {
      const client = simulatedClient(network, rounds)
      await rounds.cost(() => client.store(key))
      const bytes = recordKey(key)
      const nearest = network.trulyNearest(bytes, 5)

      expect(nearest.filter(({ store }) => store.encoded(bytes) === undefined)).toEqual([])
      expect(nearest.filter((node) => !network.holdersOf(bytes).has(node))).toEqual([])
    }
  })

  it('has dead nodes that others know, and that hold nothing', async () => {
    const network = new SimulatedNetwork(
      { size: 100, shape: 'waggle', deadShare: 0.5 },
      seededRandom(3)
    )
    const rounds = new Rounds()
    const client = simulatedClient(network, rounds)
    const { messages } = await rounds.cost(() => client.store('key'))
    const holders = [...network.holdersOf(recordKey('key'))]

    expect(network.nodes.filter(({ isDead }) => isDead)).toHaveLength(50)
    expect(holders.length).toBeGreaterThanOrEqual(5)
    expect(holders.filter(({ isDead }) => isDead)).toEqual([])
    // A request and a reply of each of these, and requests to dead ones.
    expect(messages).toBeGreaterThan(2 * holders.length)
  })

  it('has clients that dial nodes once, for as long as they stay connected', async () => {
    const network = new SimulatedNetwork(
      { size: 1000, shape: 'waggle', deadShare: 0 },
      seededRandom(3)
    )
    const rounds = new Rounds()
    const client = simulatedClient(network, rounds)
    const costs = []

    for (const key of ['a', 'a', ...Array.from({ length: 100 }, (_, i) => `key ${i}`), 'a']) {
      costs.push(await rounds.cost(() => client.store(key)))
    }

    expect(costs.at(0)?.dials).toBeGreaterThanOrEqual(5)
    expect(costs.at(1)?.dials).toBe(0)
    expect(costs.at(-1)?.dials).toBeGreaterThan(0)
  })

  it('finds nothing under a key without a value', async () => {
    const network = new SimulatedNetwork(
      { size: 50, shape: 'waggle', deadShare: 0 },
      seededRandom(3)
    )
    const rounds = new Rounds()
    const client = simulatedClient(network, rounds)
    let isFound: boolean | undefined
    await rounds.cost(async () => {
      isFound = await client.get('nothing')
    })

    expect(isFound).toBe(false)
  })
})

describe('Rounds', () => {
  it('counts requests at the same time as one hop', async () => {
    const rounds = new Rounds()
    const request = (): Promise<number> => rounds.request(() => 1)

    expect(
      await rounds.cost(async () => {
        await Promise.all([request(), request(), request()])
        await request()
      })
    ).toEqual({ messages: 8, dials: 0, hops: 2 })
  })

  it('counts a request without a reply', async () => {
    const rounds = new Rounds()

    expect(await rounds.cost(() => rounds.request(undefined).catch(() => {}))).toEqual({
      messages: 1,
      dials: 0,
      hops: 1
    })
  })

  it('counts a request that nobody waits for', async () => {
    const rounds = new Rounds()

    expect(
      await rounds.cost(async () => {
        void rounds.request(() => 1)
      })
    ).toEqual({ messages: 2, dials: 0, hops: 0 })
  })

  it('rejects as the operation does', async () => {
    await expect(new Rounds().cost(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
  })
})

function point(index: number): Point {
  return points[index] as Point
}

function everybody(owner: number): number[] {
  return [...points.keys()].filter((index) => index !== owner)
}

function nearestFirst(owner: number): number[] {
  return everybody(owner).sort(
    (a, b) => distanceOf(point(owner), point(a)) - distanceOf(point(owner), point(b))
  )
}

function commonPrefix(owner: number, other: number): number {
  return Math.floor(Math.log2(distanceOf(point(owner), point(other))))
}

function sixBits(_owner: number, other: number): number {
  return point(other).high >>> 26
}

function counts(
  owner: number,
  others: Iterable<number> | undefined,
  bucketOf: (owner: number, other: number) => number
): Map<number, number> {
  const buckets = Map.groupBy(others ?? [], (other) => bucketOf(owner, other))
  return new Map([...buckets].map(([bucket, { length }]) => [bucket, length]))
}

function atMost(most: number, sizes: ReadonlyMap<number, number>): Map<number, number> {
  return new Map([...sizes].map(([bucket, count]) => [bucket, Math.min(most, count)]))
}
