import { DHT } from '@waggle/dht'
import { testnet } from '@waggle/dht/testnet'
import { describe, expect, it } from 'vitest'
import { PATIENCE, UNHURRIED } from '../support/libp2p-node.ts'

const KEYS = Array.from({ length: 20 }, (_, i) => `key ${i}`)
const VALUE = 'x'.repeat(1000)

function storeAll(node: DHT): Promise<boolean[]> {
  return node.storeMany(KEYS.map((key) => ({ key, value: VALUE, ttl: 600 })))
}

/** Milliseconds before upkeep compares replicas with a peer that has joined. */
const BEFORE_AUDIT = { timeout: 9000, interval: 50 }

describe('the cache of a node', { timeout: 60_000 }, () => {
  it('has no second copy of what the node holds as a replica', async () => {
    await using net = await testnet(2, UNHURRIED)
    const [reader, writer] = net.nodes as [DHT, DHT]
    await storeAll(writer)
    await reader.getMany(KEYS)
    await reader.getMany(KEYS, { latest: true })

    for (const node of net.nodes) {
      expect(node.stats()).toMatchObject({ records: 20, cachedRecords: 0, cachedBytes: 0 })
    }
  })

  it('takes no more than limits.maxCachedBytes', async () => {
    const limits = { maxCachedBytes: 5000 }
    await using net = await testnet(1, UNHURRIED)
    const [server] = net.nodes as [DHT]
    const client = await net.add({ clientMode: true, limits })
    await storeAll(server)
    await client.getMany(KEYS)

    const { cachedRecords, cachedBytes } = client.stats()
    expect(cachedRecords).toBe(4)
    expect(cachedBytes).toBeLessThanOrEqual(5000)
  })

  it('makes no replica of a node: a newcomer that has read is given what it should hold (N7)', async () => {
    await using net = await testnet(1, UNHURRIED)
    const [first] = net.nodes as [DHT]
    await storeAll(first)
    await using newcomer = await DHT.create({ ...UNHURRIED, initialPeers: first.multiaddrs })
    await newcomer.getMany(KEYS)

    await expect.poll(() => newcomer.stats().records, BEFORE_AUDIT).toBe(20)
    await expect.poll(() => newcomer.stats().cachedRecords, PATIENCE).toBe(0)
  })
})
