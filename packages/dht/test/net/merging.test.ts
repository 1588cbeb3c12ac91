import type { PeerId } from '@libp2p/interface'
import { DEFAULTS, DHT, type FoundValue, getDHTTime, type Key } from '@waggle/dht'
import { type Testnet, testnet } from '@waggle/dht/testnet'
import {
  type DHTRecord,
  encodeRecord,
  join,
  plainRecord,
  recordKey,
  subkeyRecord,
  view
} from '@waggle/record'
import { encodeValue } from '@waggle/record/replica'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { acquaint, PATIENCE, UNHURRIED } from '../support/libp2p-node.ts'
import { heldBy, keyWhere, nearestFirst, putAt } from '../support/replica.ts'
import { stockNode } from '../support/stock-node.ts'

const NODES = 20
const WRITERS = 8
const ROUNDS = 50
const REPLICAS = DEFAULTS.numReplicas

let net: Testnet

beforeAll(async () => {
  net = await testnet(NODES, UNHURRIED)
}, 120_000)

afterAll(() => net?.stop())

function nodeAt(i: number): DHT {
  return net.nodes[i % net.nodes.length] as DHT
}

/** Asks each node for its own record, through another node. */
function heldByEach(nodes: readonly DHT[], key: Key): Promise<(DHTRecord | undefined)[]> {
  return Promise.all(
    nodes.map((node, i) => heldBy(node, key, (nodes[i === 0 ? 1 : 0] as DHT).libp2p))
  )
}

function replicasOf(key: Key, nodes = net.nodes): DHT[] {
  return nearestFirst(key, nodes).slice(0, REPLICAS)
}

async function readByAll(key: Key, nodes = net.nodes): Promise<(FoundValue | undefined)[]> {
  const found = await Promise.all(nodes.map((node) => node.get(key, { latest: true })))
  return found.map((one) => one?.value)
}

describe('writers of one dictionary at one moment', () => {
  it('lose no subkey in fifty rounds, for any reader (N2, N5, N6)', {
    timeout: 400_000
  }, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const key = `round ${round}`
      const expirationTime = getDHTTime() + 600
      const writers = Array.from({ length: WRITERS }, (_, i) => nodeAt(round + 2 * i))

      const answers = await Promise.all(
        writers.map((writer, i) =>
          writer.store(key, { by: i }, { subkey: `writer ${i}`, expirationTime })
        )
      )
      const all = new Map(
        writers.map((_, i) => [`writer ${i}`, { value: { by: i }, expirationTime }])
      )

      expect(answers).toEqual(writers.map(() => true))
      expect(await readByAll(key)).toEqual(net.nodes.map(() => all))
    }
  })

  it('leave the same bytes at all five nearest peers, and none elsewhere (N6, R10)', async () => {
    const key = 'the same everywhere'
    const expirationTime = getDHTTime() + 600
    const replicas = replicasOf(key)
    const others = net.nodes.filter((node) => !replicas.includes(node))

    await Promise.all(
      Array.from({ length: WRITERS }, (_, i) =>
        nodeAt(3 * i).store(key, i, { subkey: i, expirationTime })
      )
    )
    const expected = Array.from({ length: WRITERS }, (_, i) => subkeyRecord(i, i, expirationTime))
    const held = await heldByEach(replicas, key)

    for (const record of held) {
      expect(record && encodeRecord(record)).toEqual(encodeRecord(expected.reduce(joined)))
    }

    expect(await heldByEach(others, key)).toEqual(others.map(() => undefined))
  })
})

describe('an older value stored after a newer one', () => {
  it('is refused and changes nothing, when it comes by our API (N2, R6)', async () => {
    const key = 'by our API'
    const expirationTime = getDHTTime() + 600
    const newer = { expirationTime }
    const older = { expirationTime: expirationTime - 100 }

    expect(await nodeAt(1).store(key, 'newer', newer)).toBe(true)
    expect(await nodeAt(2).store(key, 'older', older)).toBe(false)
    expect(await nodeAt(1).store(key, 'older', older)).toBe(false)

    await expectOnly(key, plainRecord('newer', expirationTime))
  })

  it('changes nothing at the replicas, when a stock node puts it (N2)', async () => {
    await using small = await testnet(8, UNHURRIED)
    await using stock = await stockNode()
    await acquaint(stock, ...small.nodes.map(({ libp2p }) => libp2p))
    const key = keyWhere<{ peerId: PeerId }>(
      [stock, ...small.nodes],
      (nearest) => nearest.indexOf(stock) >= REPLICAS
    )
    const expirationTime = getDHTTime() + 600
    const older = encodeRecord(plainRecord('older', expirationTime - 100))

    expect(await small.nodes[1]?.store(key, 'newer', { expirationTime })).toBe(true)
    await stock.contentRouting.put(recordKey(key), older)

    await expectOnly(key, plainRecord('newer', expirationTime), small.nodes)
  })

  it('is refused as a subkey, too, and beside newer ones (R6)', async () => {
    const key = 'older subkey'
    const expirationTime = getDHTTime() + 600
    const earlier = expirationTime - 100

    expect(await nodeAt(1).store(key, 'newer', { subkey: 'a', expirationTime })).toBe(true)
    expect(await nodeAt(2).store(key, 'older', { subkey: 'a', expirationTime: earlier })).toBe(
      false
    )
    expect(await nodeAt(3).store(key, 'other', { subkey: 'b', expirationTime: earlier })).toBe(true)
    expect(await nodeAt(4).store(key, 'plain', { expirationTime: earlier })).toBe(false)

    await expectOnly(
      key,
      join(subkeyRecord('a', 'newer', expirationTime), subkeyRecord('b', 'other', earlier))
    )
  })

  /** Expects that all replicas hold exactly this record, and that all nodes read it. */
  async function expectOnly(key: Key, record: DHTRecord, nodes = net.nodes): Promise<void> {
    const held = await heldByEach(replicasOf(key, nodes), key)

    expect(held).toEqual(held.map(() => record))
    expect(await readByAll(key, nodes)).toEqual(nodes.map(() => view(record)?.value))
  }
})

describe('values with equal expirations', () => {
  const expirationTime = getDHTTime() + 600

  /** Two values in the order of their bytes. */
  const [lesser, greater] = ['bee', 'wasp']

  it('are ordered by their bytes, so that all know the winner (R2)', () => {
    expect(Buffer.compare(encodeValue(lesser), encodeValue(greater))).toBe(-1)
  })

  it.each([
    ['the lesser first', lesser, greater, true],
    ['the greater first', greater, lesser, false]
  ])('end with the greater bytes when stored %s (R2)', async (order, first, second, wins) => {
    expect(await nodeAt(5).store(order, first, { expirationTime })).toBe(true)
    expect(await nodeAt(6).store(order, second, { expirationTime })).toBe(wins)
    expect(await readByAll(order)).toEqual(net.nodes.map(() => greater))
  })

  it('settle the same way everywhere when stored at one moment (R2)', async () => {
    const keys = Array.from({ length: 10 }, (_, i) => `tie ${i}`)

    await Promise.all(
      keys.flatMap((key, i) => [
        nodeAt(i).store(key, i % 2 === 0 ? lesser : greater, { expirationTime }),
        nodeAt(i + 7).store(key, i % 2 === 0 ? greater : lesser, { expirationTime })
      ])
    )

    for (const key of keys) {
      const held = await heldByEach(replicasOf(key), key)
      expect(held).toEqual(held.map(() => plainRecord(greater, expirationTime)))
    }
  })

  it('are accepted again when they are the same (R3)', async () => {
    expect(await nodeAt(8).store('again', lesser, { expirationTime })).toBe(true)
    expect(await nodeAt(9).store('again', lesser, { expirationTime })).toBe(true)
    expect(await nodeAt(8).store('again', lesser, { expirationTime })).toBe(true)
  })
})

describe('replicas that each lack something', () => {
  it('have all of it after a reading with latest (N5)', async () => {
    const key = 'in need of repair'
    const expirationTime = getDHTTime() + 600
    const replicas = replicasOf(key)
    const reader = net.nodes.find((node) => !replicas.includes(node)) as DHT
    const [, , , ...behind] = replicas

    for (const [i, replica] of replicas.slice(0, 3).entries()) {
      await putAt(replica, key, subkeyRecord(i, i, expirationTime), reader.libp2p)
    }

    expect(await heldByEach(behind, key)).toEqual(behind.map(() => undefined))

    const complete = [0, 1, 2].map((i) => subkeyRecord(i, i, expirationTime)).reduce(joined)
    expect(await reader.get(key, { latest: true })).toEqual(view(complete))

    await expect
      .poll(() => heldByEach(replicas, key), PATIENCE)
      .toEqual(replicas.map(() => complete))
  })

  it('stay as they are after a reading that takes the first answer (N5)', async () => {
    const key = 'good enough'
    const expirationTime = getDHTTime() + 600
    const [nearest, ...others] = replicasOf(key)
    const record = plainRecord('here', expirationTime)
    await putAt(nearest as DHT, key, record, (others[0] as DHT).libp2p)

    expect((await nodeAt(0).get(key))?.value).toBe('here')
    expect(await heldByEach(others, key)).toEqual(others.map(() => undefined))
  })
})

function joined(a: DHTRecord, b: DHTRecord): DHTRecord {
  return join(a, b)
}

describe('a server that a write passed on its way to the replicas', () => {
  /** Reads and writes as a new client that knows this server only. */
  async function asNewcomer<T>(server: DHT, act: (client: DHT) => Promise<T>): Promise<T> {
    await using client = await DHT.create({
      ...UNHURRIED,
      clientMode: true,
      initialPeers: server.multiaddrs
    })
    return await act(client)
  }

  it('does not pass off its part of a dictionary as the whole (N5b)', async () => {
    for (let i = 0; i < 10; i++) {
      const key = `passed ${i}`
      const [writer, passed] = [replicasOf(key)[0], nearestFirst(key, net.nodes).at(-1)] as [
        DHT,
        DHT
      ]
      await writer.store(key, 'yes', { subkey: 'alice', ttl: 600 })
      await asNewcomer(passed, (client) => client.store(key, 'no', { subkey: 'bob', ttl: 600 }))
      const { value } = (await asNewcomer(passed, (client) => client.get(key))) ?? {}

      expect(value instanceof Map && [...value.keys()].toSorted()).toEqual(['alice', 'bob'])
    }
  })
})
