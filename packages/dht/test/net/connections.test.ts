import { DHT } from '@waggle/dht'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PATIENCE, UNHURRIED } from '../support/libp2p-node.ts'

const MAX_CONNECTIONS = 10
const NODES = 16

/** Nodes that cannot be connected to all others. */
describe('nodes with few connections', () => {
  const nodes: DHT[] = []

  beforeAll(async () => {
    for (let i = 0; i < NODES; i++) {
      const connectionManager = { maxConnections: MAX_CONNECTIONS }
      const initialPeers = nodes.slice(0, 1).flatMap(({ multiaddrs }) => multiaddrs)
      nodes.push(
        await DHT.create({ ...UNHURRIED, initialPeers, libp2pOptions: { connectionManager } })
      )
    }
  })

  afterAll(() => Promise.all(nodes.map((node) => node.stop())))

  function connections({ libp2p }: DHT): number {
    return libp2p.getConnections().length
  }

  it('join through nodes that are full (N10a, N10f)', async () => {
    expect(nodes).toHaveLength(NODES)
    // More than a node can be connected to: they are contacts.
    const known = () => Math.min(...nodes.map((node) => node.stats().knownPeers))
    await expect.poll(known, PATIENCE).toBeGreaterThan(5)
  })

  it('find what any of them stored, whoever is connected to whom (N10a)', async () => {
    for (const [i, node] of nodes.entries()) {
      const reader = nodes[(i + 5) % NODES] as DHT
      expect(await node.store(['key', i], i, { ttl: 600 })).toBe(true)
      expect(await reader.get(['key', i], { latest: true })).toMatchObject({ value: i })
    }

    expect(nodes.some((node) => node.stats().dials > 0)).toBe(true)
  })

  it('keep to their limit, and come to rest (N10a, N10g)', async () => {
    await expect
      .poll(() => Math.max(...nodes.map(connections)), PATIENCE)
      .toBeLessThanOrEqual(MAX_CONNECTIONS)
    expect(nodes.some((node) => node.stats().disconnectedPeers > 0)).toBe(true)

    const dialled = () => nodes.reduce((sum, node) => sum + node.stats().dials, 0)
    let before = dialled()
    await expect
      .poll(
        async () => {
          const since = dialled() - before
          before = dialled()
          return since
        },
        { timeout: 50_000, interval: 3000 }
      )
      .toBe(0)
  })
})

const SERVERS = 3
const CLIENTS = 30

/** More clients than all servers together have connections for. */
describe('clients of full servers', () => {
  const servers: DHT[] = []
  const clients: DHT[] = []

  beforeAll(async () => {
    const libp2pOptions = { connectionManager: { maxConnections: MAX_CONNECTIONS } }

    for (let i = 0; i < SERVERS; i++) {
      const initialPeers = servers.slice(0, 1).flatMap(({ multiaddrs }) => multiaddrs)
      servers.push(await DHT.create({ ...UNHURRIED, initialPeers, libp2pOptions }))
    }

    for (let i = 0; i < CLIENTS; i++) {
      const { multiaddrs } = servers[i % SERVERS] as DHT
      clients.push(
        await DHT.create({
          ...{ ...UNHURRIED, bootstrapTimeoutMs: 30_000, cache: false },
          ...{ clientMode: true, initialPeers: multiaddrs }
        })
      )
    }
  })

  afterAll(() => Promise.all([...clients, ...servers].map((node) => node.stop())))

  it('take turns: whatever they all store and read at once is held and found (N10a, N10d)', async () => {
    const wrong: unknown[] = []
    const call = async (client: DHT, key: string): Promise<void> => {
      try {
        const isStored = await client.store(key, key, { ttl: 600 })
        const found = await client.get(key)
        const latest = await client.get(key, { latest: true })
        isStored && found?.value === key && latest?.value === key ? 0 : wrong.push(found)
      } catch (error) {
        wrong.push(error)
      }
    }
    await Promise.all(
      clients.map(async (client, i) => {
        for (let round = 0; round < 3; round++) {
          await call(client, `client ${i}, round ${round}`)
        }
      })
    )

    expect(
      servers.reduce((sum, server) => sum + server.stats().disconnectedPeers, 0)
    ).toBeGreaterThan(0)
    expect(wrong).toEqual([])
  })
})
