import { DEFAULTS, DHT, type DHTOptions } from '@waggle/dht'
import { testnet } from '@waggle/dht/testnet'
import { describe, expect, it, vi } from 'vitest'
import { PATIENCE, UNHURRIED } from '../support/libp2p-node.ts'
import { freeAddress } from '../support/loopback.ts'
import { PeerProcess } from '../support/peer-process.ts'
import { heldBy, nearestFirst } from '../support/replica.ts'

const RECORDS = 40
const TTL = 600

function keys(): string[] {
  return Array.from({ length: RECORDS }, (_, i) => `record ${i}`)
}

function storeAll(node: DHT): Promise<boolean[]> {
  return node.storeMany(keys().map((key) => ({ key, value: key, ttl: TTL })))
}

/** Counts the records that each node should hold. */
function shares(nodes: readonly DHT[]): number[] {
  const held = keys().map((key) => nearestFirst(key, nodes).slice(0, DEFAULTS.numReplicas))
  return nodes.map((node) => held.filter((replicas) => replicas.includes(node)).length)
}

/** Lists the pairs of a record and a node that should hold it and does not. */
async function lacking(nodes: readonly DHT[]): Promise<number> {
  const [asker, other] = nodes as [DHT, DHT]
  const pairs = keys().flatMap((key) =>
    nearestFirst(key, nodes)
      .slice(0, DEFAULTS.numReplicas)
      .map((node) => heldBy(node, key, (node === asker ? other : asker).libp2p))
  )
  return (await Promise.all(pairs)).filter((record) => record === undefined).length
}

/**
 * Options of a wait for the comparison of replicas, which sends what a busy machine could not hand over.
 */
const AUDITED = { timeout: 60_000, interval: 100 }

describe('records where peers come and go', { timeout: 120_000 }, () => {
  it('are handed to a newcomer that is nearer, and only these (N7)', async () => {
    await using net = await testnet(8, UNHURRIED)
    await storeAll(net.nodes[0] as DHT)
    const newcomer = await net.add()

    const share = shares(net.nodes).at(-1) ?? 0
    expect(share).toBeGreaterThan(0)
    await expect.poll(() => newcomer.stats().records, AUDITED).toBe(share)
  })

  it('are all where they belong after several have joined at once (N7)', async () => {
    await using net = await testnet(6, UNHURRIED)
    const [first] = net.nodes as [DHT, ...DHT[]]
    await storeAll(first)
    const joining = Array.from({ length: 4 }, () =>
      DHT.create({ ...UNHURRIED, initialPeers: first.multiaddrs })
    )
    await using newcomers = new AsyncDisposableStack()
    const all = [...net.nodes, ...(await Promise.all(joining)).map((one) => newcomers.use(one))]

    await expect.poll(() => lacking(all), AUDITED).toBe(0)
  })

  it('are handed to no client (N6, N7)', async () => {
    await using net = await testnet(3, UNHURRIED)
    await storeAll(net.nodes[0] as DHT)
    const client = await net.add({ clientMode: true })
    const server = await net.add()

    await expect.poll(() => server.stats().records, PATIENCE).toBe(RECORDS)
    expect(client.stats().records).toBe(0)
  })

  it('have as many replicas as before when peers were killed (N7)', async () => {
    await using processes = new AsyncDisposableStack()
    const start = async (options: DHTOptions): Promise<PeerProcess> =>
      processes.use(await PeerProcess.start({ ...UNHURRIED, ...options }))
    const first = await start({})
    const initialPeers = [...first.multiaddrs]
    const doomed = await Promise.all([start({ initialPeers }), start({ initialPeers })])
    const others = await Promise.all(
      Array.from({ length: 3 }, async () =>
        processes.use(await DHT.create({ ...UNHURRIED, initialPeers }))
      )
    )
    const [reader] = others as [DHT]
    const total = async (): Promise<number> => {
      const here = others.reduce((sum, node) => sum + node.stats().records, 0)
      return here + (await first.stats()).records
    }
    await expect
      .poll(() => Math.min(...others.map((one) => one.stats().knownPeers)), PATIENCE)
      .toBe(5)
    await storeAll(reader)
    expect(await total()).toBeLessThan(4 * RECORDS)
    await Promise.all(doomed.map((peer) => peer.kill()))

    // Fewer peers than replicas: each of those that are left has to hold everything.
    await expect.poll(total, AUDITED).toBe(4 * RECORDS)
  })
})

describe('a published value', () => {
  it('outlives its ttl until it is told to stop (N7)', async () => {
    await using net = await testnet(3, UNHURRIED)
    const [publisher, reader] = net.nodes as [DHT, DHT]
    const read = async (): Promise<unknown> => (await reader.get('beat', { latest: true }))?.value
    const beat = publisher.publish('beat', 1, { ttl: 4 })
    const rhythm = publisher.publish('rhythm', 1, { subkey: 'a', ttl: 4 })
    await Promise.all([beat.held(), rhythm.held()])
    const endMs = performance.now() + 9000

    while (performance.now() < endMs) {
      expect(await read()).toBe(1)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }

    expect(publisher.stats().publications).toBe(2)
    await beat.stop()
    expect([beat.state, rhythm.state]).toEqual(['stopped', 'held'])
    await expect.poll(read, PATIENCE).toBeUndefined()
    expect((await reader.get('rhythm', { latest: true }))?.value).toBeInstanceOf(Map)
  })

  it('ends with its publisher, which others do not replace (N7)', async () => {
    await using net = await testnet(3, UNHURRIED)
    const publisher = await net.add()
    await publisher.publish('beat', 1, { ttl: 2 }).held()
    await publisher.stop()

    await expect
      .poll(async () => net.nodes[0]?.get('beat', { latest: true }), PATIENCE)
      .toBeUndefined()
  })

  it('is gone at once where it is to say goodbye when its publisher stops (N7)', async () => {
    await using net = await testnet(3, UNHURRIED)
    const publisher = await net.add()
    await publisher.publish('beat', 1, { ttl: 600, goodbye: true }).held()
    await publisher.stop()

    expect(await net.nodes[0]?.get('beat', { latest: true })).toBeUndefined()
  })

  it('survives a seed that dies, an update meanwhile included (N7)', async () => {
    const listenOn = await freeAddress()
    const seed = await DHT.create({ listenOn })
    await using client = await DHT.create({ initialPeers: listenOn, clientMode: true })
    const service = client.publish('service', 'up', { subkey: 'me', ttl: 4 })
    await service.held()
    await seed.stop()
    const updated = service.update('up again')
    await using reborn = await DHT.create({ listenOn })
    await updated
    const found = await reborn.get('service', { latest: true })

    expect(found?.value).toEqual(new Map([['me', expect.objectContaining({ value: 'up again' })]]))
    expect(service.state).toBe('held')
  }, 60_000)

  it('is tried again at once when a peer connects (N7)', async () => {
    await using server = await DHT.create()
    await using client = await DHT.create({ clientMode: true, initialPeers: [] })
    const publication = client.publish('service', 'up', { ttl: 600 })
    await expect.poll(() => publication.error, PATIENCE).toBeDefined()
    // The wall clock stands still, so that only the arrival can cause another attempt.
    vi.useFakeTimers({ toFake: ['Date'] })

    try {
      await client.libp2p.dial([...server.multiaddrs])
      await publication.held({ timeoutMs: 20_000 })
      expect(publication.state).toBe('held')
    } finally {
      vi.useRealTimers()
    }
  }, 60_000)
})
