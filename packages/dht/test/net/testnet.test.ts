import type { DHT } from '@waggle/dht'
import { testnet } from '@waggle/dht/testnet'
import { describe, expect, it } from 'vitest'

describe('testnet', () => {
  it('gives nodes that know each other', async () => {
    await using net = await testnet(5)

    expect(net.nodes).toHaveLength(5)

    for (const node of net.nodes) {
      expect(await knownTo(node)).toEqual(idsOf(net.nodes.filter((other) => other !== node)))
      expect(node.stats().knownPeers).toBe(4)
    }
  })

  it('gives nodes that share what they store', async () => {
    await using net = await testnet(8)
    await Promise.all(net.nodes.map((node, i) => node.store('shared', i, { subkey: i, ttl: 600 })))

    for (const node of net.nodes) {
      expect((await node.get('shared', { latest: true }))?.value).toHaveProperty('size', 8)
    }
  })

  it('may have one node', async () => {
    await using net = await testnet(1)

    expect(net.nodes.map(({ peers }) => peers)).toEqual([[]])
  })

  it('listens on loopback only', async () => {
    await using net = await testnet(2)

    for (const address of net.nodes.flatMap(({ multiaddrs }) => multiaddrs)) {
      expect(address.toString()).toMatch(/^\/ip4\/127\.0\.0\.1\/tcp\/\d+\/(?:ws\/)?p2p\//)
    }
  })

  it('passes its options to all nodes, and those of add to one', async () => {
    await using net = await testnet(2, {
      protocol: '/testnet/kad/1.0.0',
      numReplicas: 1
    })
    const client = await net.add({ clientMode: true })
    await net.nodes[0]?.store('key', 1, { ttl: 600 })

    expect(net.nodes.map(({ clientMode }) => clientMode)).toEqual([false, false, true])
    expect(net.nodes.map((node) => node.stats().records).sort()).toEqual([0, 0, 1])
    expect(await client.get('key')).toMatchObject({ value: 1 })
  })

  it('grows by nodes that all others know', async () => {
    await using net = await testnet(3)
    const added = await net.add()

    expect(net.nodes).toHaveLength(4)
    expect(net.nodes).toContain(added)
    expect(added.stats().knownPeers).toBe(3)

    for (const node of net.nodes.slice(0, 3)) {
      expect(await knownTo(node)).toContain(added.peerId.toString())
    }
  })

  it('goes on when some of its nodes were stopped', async () => {
    await using net = await testnet(4)
    await net.nodes[3]?.stop()

    expect(await net.nodes[0]?.store('key', 1, { ttl: 600 })).toBe(true)
    expect(await net.nodes[1]?.get('key', { latest: true })).toMatchObject({ value: 1 })
  })

  it('stops all nodes, once and again', async () => {
    const net = await testnet(3)
    const nodes = [...net.nodes]
    await net.stop()
    await net.stop()

    expect(nodes.map(({ libp2p }) => libp2p.status)).toEqual(nodes.map(() => 'stopped'))
    expect(net.nodes).toEqual([])
  })

  it.each([0, -1, 1.5, Number.NaN, '3'])('refuses to have %s nodes', async (count) => {
    await expect(testnet(count as number)).rejects.toBeInstanceOf(TypeError)
  })

  it('refuses options that DHT.create refuses, having stopped what it started', async () => {
    await expect(testnet(2, { numReplicas: 0 })).rejects.toBeInstanceOf(TypeError)
    await using net = await testnet(1)
    await expect(net.add({ clientMode: 'yes' as unknown as boolean })).rejects.toBeInstanceOf(
      TypeError
    )
    expect(net.nodes).toHaveLength(1)
  })
})

/** Finds peers from a node, in no particular order. */
async function knownTo(node: DHT): Promise<string[]> {
  return idsOf(
    (await node.findNearestPeers('anything', { count: 20 })).map((peerId) => ({ peerId }))
  )
}

function idsOf(nodes: readonly Pick<DHT, 'peerId'>[]): string[] {
  return nodes.map(({ peerId }) => peerId.toString()).sort()
}
