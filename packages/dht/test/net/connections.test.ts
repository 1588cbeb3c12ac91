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
