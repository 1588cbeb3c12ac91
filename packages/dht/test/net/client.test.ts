import { DEFAULTS, DHT, UnreachableError } from '@waggle/dht'
import { type Testnet, testnet } from '@waggle/dht/testnet'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CLOCK_PROTOCOL } from '../../src/clock/clock-messages.ts'
import { EXCHANGE_PROTOCOL } from '../../src/exchange/messages.ts'
import { kadOf, knows, namedBy, PATIENCE, protocolsOf, UNHURRIED } from '../support/libp2p-node.ts'
import { freeAddress } from '../support/loopback.ts'
import { PeerProcess } from '../support/peer-process.ts'
import { heldBy, keyWhere } from '../support/replica.ts'

describe('DHT in client mode', () => {
  let net: Testnet
  let client: DHT
  let other: DHT

  beforeAll(async () => {
    net = await testnet(6, UNHURRIED)
    const initialPeers = net.nodes[0]?.multiaddrs ?? []
    client = await DHT.create({ clientMode: true, initialPeers, ...UNHURRIED })
    other = await DHT.create({
      clientMode: true,
      initialPeers,
      listenOn: '127.0.0.1:0',
      ...UNHURRIED
    })
  })

  afterAll(async () => {
    await client?.stop()
    await other?.stop()
    await net?.stop()
  })

  it('says so, and listens nowhere unless told to', () => {
    expect(client.clientMode).toBe(true)
    expect(net.nodes[0]?.clientMode).toBe(false)
    expect(client.multiaddrs).toEqual([])
    expect(other.multiaddrs).toHaveLength(2)
  })

  it('reads and writes', async () => {
    expect(await client.store('from a client', 1, { ttl: 600 })).toBe(true)
    expect(await client.get('from a client')).toMatchObject({ value: 1 })

    for (const node of [...net.nodes, other]) {
      expect(await node.get('from a client', { latest: true })).toMatchObject({ value: 1 })
    }

    expect(await net.nodes[3]?.store('for a client', 2, { ttl: 600 })).toBe(true)
    expect(await client.get('for a client')).toMatchObject({ value: 2 })
    expect(await other.get('for a client', { latest: true })).toMatchObject({ value: 2 })
    expect(await client.delete('for a client', { ttl: 900 })).toBe(true)
    expect(await net.nodes[4]?.get('for a client', { latest: true })).toBeUndefined()
  })

  it('holds nothing, even what it is nearest to (N6)', async () => {
    for (const holder of [client, other]) {
      const key = keyWhere([client, other, ...net.nodes], ([nearest]) => nearest === holder)
      const before = records(net.nodes)

      expect(await holder.store([key], 'own', { ttl: 600 })).toBe(true)
      expect(await net.nodes[1]?.store(key, 'of others', { ttl: 600 })).toBe(true)
      expect(records(net.nodes)).toBe(before + 2 * DEFAULTS.numReplicas)
    }

    expect(client.stats()).toMatchObject({ records: 0, bytes: 0 })
    expect(other.stats()).toMatchObject({ records: 0, bytes: 0 })
  })

  it('serves no request', async () => {
    const [asker] = net.nodes as [DHT]
    await asker.libp2p.dial(other.multiaddrs)

    await expect(heldBy(other, 'from a client', asker.libp2p)).rejects.toThrow()
    await expect(heldBy(asker, 'from a client', other.libp2p)).resolves.not.toThrow()
  })

  it("is in nobody's routing table", async () => {
    for (const node of net.nodes) {
      await node.libp2p.dial(other.multiaddrs)
      await client.libp2p.dial(node.multiaddrs)
      await node.findNearestPeers(other.peerId.toString(), { count: 20 })
    }

    await expect.poll(() => Promise.all(net.nodes.map(isIdentified)), PATIENCE).not.toContain(false)

    for (const node of net.nodes) {
      expect(knows(node.libp2p, client.peerId)).toBe(false)
      expect(knows(node.libp2p, other.peerId)).toBe(false)
      expect(node.stats().knownPeers).toBe(net.nodes.length - 1)
    }

    const found = await net.nodes[0]?.findNearestPeers('anything', { count: 20 })
    expect(found?.map(String).sort()).toEqual(
      net.nodes
        .slice(1)
        .map(({ peerId }) => peerId.toString())
        .sort()
    )
    expect(kadOf(client.libp2p).getMode()).toBe('client')
  })

  it('says to nobody that it serves anything, and is named to nobody as near (N6)', async () => {
    const [asker, ...others] = net.nodes as [DHT, ...DHT[]]
    await Promise.all(net.nodes.map(({ libp2p }) => libp2p.dial(other.multiaddrs)))
    const protocols = await protocolsOf(other, asker.libp2p)
    const served = [kadOf(asker.libp2p).protocol, EXCHANGE_PROTOCOL, CLOCK_PROTOCOL]

    expect(served.filter((protocol) => protocols.includes(protocol))).toEqual([])
    expect(asker.libp2p.getProtocols()).toEqual(expect.arrayContaining(served))

    for (const { peerId } of others) {
      const signal = AbortSignal.timeout(20_000)
      const near = await namedBy(asker.libp2p, peerId, { signal })
      expect(near).toHaveLength(net.nodes.length - 2)
      expect(near.map(({ id }) => id.toString())).not.toContain(other.peerId.toString())
    }
  })

  it('goes back to its network when it lost it (N8h)', async () => {
    const listenOn = await freeAddress()
    await using first = await PeerProcess.start({ listenOn })
    await using lost = await DHT.create({ clientMode: true, initialPeers: listenOn })
    await first.kill()
    await expect.poll(() => lost.peers, PATIENCE).toEqual([])

    await using again = await PeerProcess.start({ listenOn })
    await again.store('key', 1, { ttl: 600 })
    await expect
      .poll(() => lost.get('key'), { timeout: 45_000, interval: 50 })
      .toMatchObject({ value: 1 })
  })

  /** Whether a node knows the clients' protocols, and so could take them for servers. */
  async function isIdentified({ libp2p }: DHT): Promise<boolean> {
    const peers = [client, other].map(({ peerId }) => libp2p.peerStore.get(peerId))
    return (await Promise.all(peers)).every(({ protocols }) => protocols.length > 0)
  }

  it('can not begin a network: there is nobody to hold what it stores (N6)', async () => {
    await using alone = await DHT.create({ clientMode: true })

    await expect(alone.store('key', 1, { ttl: 600 })).rejects.toBeInstanceOf(UnreachableError)
    await expect(alone.get('key')).rejects.toBeInstanceOf(UnreachableError)
  })
})

function records(nodes: readonly DHT[]): number {
  return nodes.reduce((sum, node) => sum + node.stats().records, 0)
}
