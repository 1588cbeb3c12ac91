import type { PeerId } from '@libp2p/interface'
import { DHT, type DHTOptions, UnreachableError } from '@waggle/dht'
import { type Testnet, testnet } from '@waggle/dht/testnet'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PATIENCE, UNHURRIED } from '../support/libp2p-node.ts'

const OPTIONS = { ...UNHURRIED, numReplicas: 3 }
const KEYS = Array.from({ length: 100 }, (_, i) => `key ${i}`)

/** Starts a client that can dial only these servers. */
function clientOf(reachable: readonly DHT[], options: DHTOptions = {}): Promise<DHT> {
  const isReachable = (peer: PeerId): boolean => reachable.some(({ peerId }) => peerId.equals(peer))
  return DHT.create({
    ...{ ...OPTIONS, cache: false, clientMode: true, ...options },
    initialPeers: reachable.flatMap(({ multiaddrs }) => multiaddrs),
    libp2pOptions: { connectionGater: { denyDialPeer: (peer) => !isReachable(peer) } }
  })
}

/** Counts the servers that hold a key. */
function holders(net: Testnet, key: string): number {
  return net.nodes.filter((node) => [...node.heldRecords()].some((held) => held.key === key)).length
}

describe('a client that can dial one of 8 servers', () => {
  let net: Testnet
  let client: DHT
  let writer: DHT

  beforeAll(async () => {
    net = await testnet(8, OPTIONS)
    client = await clientOf(net.nodes.slice(0, 1))
    writer = net.nodes[7] as DHT
    await writer.storeMany(
      KEYS.map((key) => ({ key, value: key })),
      { ttl: 600 }
    )
  })

  afterAll(async () => {
    await client?.stop()
    await net?.stop()
  })

  it('reads 100 of 100 keys, one by one and all at once (N14)', async () => {
    for (const key of KEYS.slice(0, 20)) {
      expect((await client.get(key))?.value).toBe(key)
    }

    const found = await client.getMany(KEYS)
    expect(found.map((one) => one?.value)).toEqual(KEYS)
    expect(client.stats().peers).toBe(1)
  })

  it('reads what another client has just written, also after it read the value before (N14)', async () => {
    for (const key of KEYS.slice(0, 20)) {
      await client.get(key)
      await writer.store(key, `${key} anew`, { ttl: 700 })
      expect((await client.get(key, { latest: true }))?.value).toBe(`${key} anew`)
    }
  })

  it('is told that nothing is there (N11a, N14)', async () => {
    expect(await client.get('nothing')).toBeUndefined()
    expect(await client.get('nothing', { latest: true })).toBeUndefined()
  })

  it('has every store held by numReplicas (N14)', async () => {
    const keys = Array.from({ length: 20 }, (_, i) => `written ${i}`)

    for (const key of keys) {
      const { outcome, replicas } = await client.store(key, key, { ttl: 600, report: true })
      const accepted = replicas.filter((one) => one.outcome === 'accepted')
      expect(outcome).toBe('held')
      expect(accepted.length).toBeGreaterThanOrEqual(3)
      expect(holders(net, key)).toBeGreaterThanOrEqual(3)
    }
  })

  it('hears that a later value beats its write, with the proof (N6, N14)', async () => {
    await writer.store('contested', 'later', { ttl: 900 })
    const report = await client.store('contested', 'earlier', { ttl: 300, report: true })
    expect(report).toMatchObject({ outcome: 'beaten', by: { value: 'later' } })
  })

  it('hears of every change of the keys that it watches, at any replica (N14)', async () => {
    const keys = KEYS.slice(80)
    const heard = new Map<string, unknown>()
    const stop = keys.map((key) => {
      const watch = client.watch(key)
      return watch.subscribe(({ current }) => heard.set(key, current?.value))
    })
    await expect.poll(() => heard.size, PATIENCE).toBe(keys.length)

    for (const round of [1, 2]) {
      await writer.storeMany(
        keys.map((key) => ({ key, value: round })),
        { ttl: 800 + round }
      )
      await expect.poll(() => [...heard.values()], PATIENCE).toEqual(keys.map(() => round))
    }

    for (const unsubscribe of stop) {
      unsubscribe()
    }

    const forwarded = (): number => net.nodes[0]?.stats().forwardedKeys ?? 0
    await expect.poll(forwarded, PATIENCE).toBe(0)
  })

  it('is counted where it is served (N14)', () => {
    expect(net.nodes[0]?.stats().served.keys.gateway).toBeGreaterThan(100)
    expect(net.nodes[1]?.stats().served.keys.gateway).toBe(0)
  })
})

describe('a client that has known all servers', () => {
  it('reads what is there when it can dial one of them from now on (N14)', async () => {
    await using net = await testnet(8, OPTIONS)
    const [first, ...others] = net.nodes as [DHT, ...DHT[]]
    let isMoved = false
    await using client = await DHT.create({
      ...{ ...OPTIONS, cache: false, clientMode: true },
      initialPeers: net.nodes.flatMap(({ multiaddrs }) => multiaddrs),
      libp2pOptions: {
        connectionGater: { denyDialPeer: (peer) => isMoved && !peer.equals(first.peerId) }
      }
    })
    const keys = KEYS.slice(0, 20)
    await client.storeMany(
      keys.map((key) => ({ key, value: key })),
      { ttl: 600 }
    )
    isMoved = true
    await Promise.all(others.map(({ peerId }) => client.libp2p.hangUp(peerId)))

    for (const key of keys) {
      expect((await client.get(key))?.value).toBe(key)
    }

    expect(await client.get('nothing')).toBeUndefined()
    expect(first.stats().served.keys.gateway).toBeGreaterThan(0)
  })
})

describe('a client that can dial all servers', () => {
  it('needs no gateway (N14)', async () => {
    await using net = await testnet(5, OPTIONS)
    await using client = await clientOf(net.nodes)
    await client.store('key', 'value', { ttl: 600 })
    await client.get('key')
    await client.get('nothing', { latest: true })
    expect(net.nodes.map((node) => node.stats().served.keys.gateway)).toEqual([0, 0, 0, 0, 0])
  })
})

describe('a server without serveGateway', () => {
  it('looks up and watches for nobody, and the client says that replicas are unreachable (N14)', async () => {
    await using net = await testnet(8, { ...OPTIONS, serveGateway: false })
    await using client = await clientOf(net.nodes.slice(0, 1))
    await expect(client.get('nothing')).rejects.toThrow(UnreachableError)
    const heard: string[] = []
    const watch = client.watch('nothing', { onProgress: ({ name }) => heard.push(name) })
    const unsubscribe = watch.subscribe(() => {})
    await expect.poll(() => heard, PATIENCE).toEqual(['unreachable'])
    unsubscribe()
    expect(net.nodes[0]?.stats().served.keys.gateway).toBe(0)
  })
})
