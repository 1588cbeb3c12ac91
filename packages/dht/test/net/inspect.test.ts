import type { DHT } from '@waggle/dht'
import { testnet } from '@waggle/dht/testnet'
import { plainRecord } from '@waggle/record'
import { describe, expect, it, vi } from 'vitest'
import { PATIENCE, UNHURRIED } from '../support/libp2p-node.ts'
import { nearestFirst, putAt } from '../support/replica.ts'

describe('inspect', () => {
  it('shows which peers hold which version of a key, the nearest first, and changes nothing', async () => {
    await using net = await testnet(8, UNHURRIED)
    const servers = [...net.nodes]
    const client = await net.add({ clientMode: true })
    const near = nearestFirst('key', servers)
    const expirationTime = Date.now() / 1000 + 600
    await client.store('key', 'old', { expirationTime })
    const [, behind] = near as [DHT, DHT]

    for (const replica of [near[0], near[2]] as DHT[]) {
      await putAt(replica, 'key', plainRecord('new', expirationTime + 1), client.libp2p)
    }

    const { cached, found, peers, point } = await client.inspect('key')
    expect(found).toEqual({ value: 'new', expirationTime: expirationTime + 1 })
    expect(point).toHaveLength(32)
    expect(cached?.expirationTime).toBe(expirationTime)
    expect(peers.map(({ peer }) => String(peer))).toEqual(near.map(({ peerId }) => String(peerId)))
    expect(peers.map(({ role, state }) => `${role} ${state}`)).toEqual([
      'replica current',
      'replica behind',
      'replica current',
      'replica behind',
      'replica behind',
      'none empty',
      'none empty',
      'none empty'
    ])
    expect(new Set(peers.map(({ digest }) => digest)).size).toBe(3)
    expect(peers[1]).toMatchObject({ entries: 1, expirationTime })
    expect(peers.map(({ sharedBits }) => sharedBits)).toEqual(
      peers.map(({ sharedBits }) => sharedBits).toSorted((a, b) => b - a)
    )
    const again = await client.inspect('key')
    expect(again.peers.map(({ digest }) => digest)).toEqual(peers.map(({ digest }) => digest))
    expect(behind.stats().records).toBe(1)
  })

  it('has peers that fail as such, and finds nothing where nothing is', async () => {
    await using net = await testnet(4, { ...UNHURRIED, numReplicas: 2 })
    const client = await net.add({ clientMode: true })
    const [nearest] = nearestFirst('nothing', net.nodes.slice(0, 4)) as [DHT]
    await nearest.libp2p.unhandle('/waggle/exchange/1.0.0')
    const { cached, found, peers } = await client.inspect('nothing')

    expect({ cached, found }).toEqual({ cached: undefined, found: undefined })
    expect(peers.every(({ entries, digest }) => entries === 0 && digest === undefined)).toBe(true)
    await client.stop()
    await expect(client.inspect('nothing')).rejects.toMatchObject({ name: 'AbortError' })
  })
})

describe('the figures of what a node serves', () => {
  it('count keys, bytes and changes told', async () => {
    await using net = await testnet(1, UNHURRIED)
    const [server] = net.nodes as [DHT]
    const client = await net.add({ clientMode: true, cache: false })
    const before = server.stats().served
    const watch = client.watch('key')
    watch.subscribe(() => {})
    await vi.waitUntil(() => server.stats().watchedForOthers === 1, PATIENCE)
    await client.store('key', 'value', { ttl: 60 })
    await client.get('key')
    await client.get('other')
    const { served } = server.stats()

    expect(served.keys.store - before.keys.store).toBe(1)
    expect(served.keys.find - before.keys.find).toBeGreaterThanOrEqual(2)
    expect(served.keys.watch - before.keys.watch).toBe(1)
    expect(served.changes - before.changes).toBe(1)
    expect(served.bytes).toBeGreaterThan(before.bytes)
    expect(served.refused).toEqual({ busy: 0, access: 0 })
    await watch.stop()
  })
})
