import { mkdtemp, rm } from 'node:fs/promises'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { DHT, getDHTTime, type Key, waggle, waggleKadDHT } from '@waggle/dht'
import { type Testnet, testnet } from '@waggle/dht/testnet'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { GetProgressEvent } from '../../src/operations/call-options.ts'
import { acquaint, basicServices, libp2pNode, PATIENCE } from '../support/libp2p-node.ts'
import { freeAddress } from '../support/loopback.ts'

/** Starts an application's own node with the Waggle service. */
function application() {
  return libp2pNode({ ...basicServices(), dht: waggleKadDHT(), waggle: waggle() })
}

/** A time limit far below any timeout: a call that waits for peers would exceed it. */
const AT_ONCE = { timeoutMs: 1_000 }

const hasIPv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === '::1')
)

describe('a node that is alone', () => {
  let dht: DHT

  beforeAll(async () => {
    dht = await DHT.create()
  })

  afterAll(async () => {
    await dht?.stop()
  })

  it('stores, gets and deletes at once (N6)', async () => {
    const expirationTime = getDHTTime() + 600

    expect(await dht.get('key', { latest: true, ...AT_ONCE })).toBeUndefined()
    expect(await dht.store('key', 'value', { expirationTime, ...AT_ONCE })).toBe(true)
    expect(await dht.get('key', AT_ONCE)).toEqual({ value: 'value', expirationTime })
    expect(await dht.delete('key', { expirationTime: expirationTime + 1, ...AT_ONCE })).toBe(true)
    expect(await dht.get('key', { latest: true, ...AT_ONCE })).toBeUndefined()
  })

  it('knows of no other peer', async () => {
    expect(await dht.findNearestPeers('key', AT_ONCE)).toEqual([])
    expect(dht.peers).toEqual([])
    expect(dht.stats()).toMatchObject({ peers: 0, knownPeers: 0 })
  })

  it('says what it holds', async () => {
    const before = dht.stats()
    await dht.store('another key', new Uint8Array(1_000), { ttl: 600 })

    expect(dht.stats().records).toBe(before.records + 1)
    expect(dht.stats().bytes).toBeGreaterThan(before.bytes + 1_000)
  })
})

describe('what is printed of a DHT', () => {
  it('shows its peer id and its state', async () => {
    const dht = await DHT.create({ clientMode: true })
    expect(inspect(dht)).toBe(`DHT(${dht.peerId}, client, 0 connected)`)
    await dht.stop()
    expect(String(dht)).toBe(`DHT(${dht.peerId}, stopped)`)
  })
})

describe('DHT.stop', () => {
  it('may be called again and again', async () => {
    const dht = await DHT.create()
    await dht.stop()
    await dht.stop()

    expect(dht.libp2p.status).toBe('stopped')
  })

  it('leaves the last figures of the node', async () => {
    const dht = await DHT.create({ clientMode: true })
    await dht.stop()
    expect(dht.stats()).toMatchObject({ records: 0, knownPeers: 0 })
    expect(dht.clientMode).toBe(true)
    expect(dht.peers).toEqual([])
  })

  it('resolves for all callers when the node has stopped', async () => {
    const dht = await DHT.create()

    const statuses = await Promise.all(
      Array.from({ length: 3 }, () => dht.stop().then(() => dht.libp2p.status))
    )
    expect(statuses).toEqual(['stopped', 'stopped', 'stopped'])
  })

  it('frees the port', async () => {
    const listenOn = await freeAddress()
    const first = await DHT.create({ listenOn })
    await first.stop()
    await using second = await DHT.create({ listenOn })

    expect(second.multiaddrs).toHaveLength(2)
  })

  it('is what `await using` ends with', async () => {
    const nodes: DHT[] = []

    {
      await using dht = await DHT.create()
      nodes.push(dht)
      expect(dht.libp2p.status).toBe('started')
    }

    expect(nodes.map(({ libp2p }) => libp2p.status)).toEqual(['stopped'])
  })
})

describe("a DHT around an application's own node", () => {
  it('reads what another one stored', async () => {
    await using one = await application()
    await using other = await application()
    const first = await DHT.create({ libp2p: one })
    const second = await DHT.create({ libp2p: other, initialPeers: first.multiaddrs })

    expect(await first.store('key', 'value', { ttl: 600 })).toBe(true)
    expect(await second.get('key', { latest: true })).toMatchObject({ value: 'value' })
    expect(first.peerId.equals(one.peerId)).toBe(true)
    expect(first.libp2p).toBe(one)
  })

  it('leaves the node running when it stops, to be wrapped again', async () => {
    await using node = await application()
    const first = await DHT.create({ libp2p: node })
    await first.store('key', 'value', { ttl: 600 })
    await first.stop()

    expect(node.status).toBe('started')
    await expect(first.get('key')).rejects.toMatchObject({ name: 'AbortError' })

    const second = await DHT.create({ libp2p: node })
    expect(await second.get('key')).toMatchObject({ value: 'value' })
  })

  it('does not end with another one around the same node', async () => {
    await using node = await application()
    const first = await DHT.create({ libp2p: node })
    const second = await DHT.create({ libp2p: node })
    await first.stop()

    expect(await second.store('key', 'value', { ttl: 600 })).toBe(true)
  })

  it('is made anew when the node is stopped and started again', async () => {
    await using node = await application()
    await using neighbour = await application()
    await acquaint(node, neighbour)
    const before = await DHT.create({ libp2p: node })
    expect(await before.store('before', 1, { ttl: 600 })).toBe(true)

    await node.stop()
    await node.start()
    await expect(before.get('before')).rejects.toMatchObject({ name: 'AbortError' })

    const initialPeers = neighbour.getMultiaddrs()
    const dht = await DHT.create({ libp2p: node, initialPeers })
    const other = await DHT.create({ libp2p: neighbour })
    expect(await dht.get('before', { latest: true })).toMatchObject({ value: 1 })
    expect(await dht.store('after', 2, { ttl: 600 })).toBe(true)
    expect(await other.get('after', { latest: true })).toMatchObject({ value: 2 })
    await expect.poll(() => other.stats().knownPeers, PATIENCE).toBe(1)
    expect(await other.store('back', 3, { ttl: 600 })).toBe(true)
    expect(await dht.get('back')).toMatchObject({ value: 3 })
  })
})

describe('identityPath', () => {
  it('keeps the peer id over restarts', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'waggle-'))
    const identityPath = join(directory, 'identity.key')
    const ids: string[] = []

    for (let run = 0; run < 2; run++) {
      await using dht = await DHT.create({ identityPath })
      ids.push(dht.peerId.toString())
    }

    await using other = await DHT.create()
    expect(ids[1]).toBe(ids[0])
    expect(ids).not.toContain(other.peerId.toString())
    await rm(directory, { recursive: true })
  })
})

describe('listenOn', () => {
  it('is one free loopback port unless told otherwise', async () => {
    await using dht = await DHT.create()

    const [tcp, webSocket, ...others] = dht.multiaddrs.map(String)
    expect(tcp).toMatch(new RegExp(`^/ip4/127.0.0.1/tcp/[1-9]\\d*/p2p/${dht.peerId}$`))
    expect(webSocket).toBe(tcp?.replace('/p2p/', '/ws/p2p/'))
    expect(others).toEqual([])
  })

  it('may be several addresses, by each of which others join', async () => {
    const listenOn = ['127.0.0.1:0', '/ip4/127.0.0.1/tcp/0']
    await using dht = await DHT.create({ listenOn })
    expect(new Set(dht.multiaddrs.map(String)).size).toBe(4)

    for (const initialPeers of dht.multiaddrs) {
      await using joined = await DHT.create({ initialPeers })
      expect(joined.peers.map(String)).toEqual([dht.peerId.toString()])
    }
  })

  it('may be an IPv6 address', async ({ skip }) => {
    skip(!hasIPv6, 'as this machine has no IPv6')
    await using dht = await DHT.create({ listenOn: '[::1]:0' })
    const [address] = dht.multiaddrs
    expect(address?.toString()).toMatch(/^\/ip6\/::1\/tcp\/[1-9]\d*\/p2p\//)

    const port = address?.getComponents().find(({ name }) => name === 'tcp')?.value
    await using joined = await DHT.create({ initialPeers: `[::1]:${port}`, listenOn: '[::1]:0' })
    expect(joined.peers).toHaveLength(1)
  })

  it('may be all interfaces, loopback included', async () => {
    await using dht = await DHT.create({ listenOn: ':0' })
    const addresses = dht.multiaddrs.map(String)

    expect(addresses).toContainEqual(expect.stringContaining('/ip4/127.0.0.1/tcp/'))
    expect(addresses).not.toContainEqual(expect.stringContaining('0.0.0.0'))
    expect(addresses.every((address) => address.endsWith(`/p2p/${dht.peerId}`))).toBe(true)
  })
})

describe('announce', () => {
  it('is told instead of the addresses listened on', async () => {
    await using dht = await DHT.create({ announce: 'bees.example.org:1337' })

    expect(dht.multiaddrs.map(String)).toEqual([`/dns/bees.example.org/tcp/1337/p2p/${dht.peerId}`])
  })
})

describe('three nodes', () => {
  let net: Testnet
  let nodes: [DHT, DHT, DHT]

  beforeAll(async () => {
    net = await testnet(3)
    nodes = net.nodes as [DHT, DHT, DHT]
  })

  afterAll(async () => {
    await net?.stop()
  })

  async function values(key: Key): Promise<unknown[]> {
    const found = await Promise.all(nodes.map((node) => node.get(key, { latest: true })))
    return found.map((one) => one?.value)
  }

  it('lose a key that one of them deletes (R9)', async () => {
    const expirationTime = getDHTTime() + 600
    await nodes[0].store('mistake', 'oops', { expirationTime })

    expect(await nodes[1].delete('mistake', { expirationTime: expirationTime - 1 })).toBe(false)
    expect(await values('mistake')).toEqual(['oops', 'oops', 'oops'])
    expect(await nodes[1].delete('mistake', { expirationTime: expirationTime + 1 })).toBe(true)
    expect(await values('mistake')).toEqual([undefined, undefined, undefined])
  })

  it('lose one subkey that one of them deletes, and only that (R9)', async () => {
    const expirationTime = getDHTTime() + 600
    await nodes[0].store('party', 'yes', { subkey: 'alice', expirationTime })
    await nodes[1].store('party', 'no', { subkey: 'carol', expirationTime })
    const deletion = { subkey: 'alice', expirationTime: expirationTime + 1 }

    expect(await nodes[2].delete('party', deletion)).toBe(true)
    const rest = new Map([['carol', { value: 'no', expirationTime }]])
    expect(await values('party')).toEqual([rest, rest, rest])
  })

  it('forget a value at the moment that its ttl is over (R1)', async () => {
    const before = getDHTTime()
    await nodes[0].store('short', 'lived', { ttl: 4 })
    const found = await nodes[1].get('short')

    expect(found?.expirationTime).toBeGreaterThanOrEqual(before + 4)
    await expect.poll(() => nodes[2].get('short'), PATIENCE).toBeUndefined()
    expect(getDHTTime()).toBeGreaterThanOrEqual(found?.expirationTime ?? Number.NaN)
  })

  it('answer storeMany in the order of the entries (R2)', async () => {
    const expirationTime = getDHTTime() + 600
    await nodes[0].store(['many', 1], 'held', { expirationTime })
    const entries = [0, 1, 2].map((i) => ({ key: ['many', i], value: i }))

    expect(await nodes[1].storeMany(entries, { expirationTime: expirationTime - 1 })).toEqual([
      true,
      false,
      true
    ])
  })

  it('store nothing when one of many entries is wrong', async () => {
    // More than may be under way at once: the first would be stored before the last was drawn.
    const whole = Array.from({ length: 3000 }, (_, i) => ({
      key: ['whole', i],
      value: i,
      ttl: 600
    }))
    const broken = { key: 'broken', value: Number.NaN, ttl: 600 }

    await expect(nodes[0].storeMany([...whole, broken])).rejects.toThrow(/^entry 3000: /)
    expect(await values(['whole', 0])).toEqual([undefined, undefined, undefined])
  })

  it('take entries and keys from any iterable, and none at all', async () => {
    const entries = new Set([{ key: 'from a set', value: 1 }])
    const keys = new Map([['from a set', 'whatever']]).keys()

    expect(await nodes[0].storeMany(entries, { ttl: 600 })).toEqual([true])
    expect(await nodes[1].getMany(keys)).toMatchObject([{ value: 1 }])
    expect(await nodes[1].storeMany([])).toEqual([])
    expect(await nodes[1].getMany([])).toEqual([])
  })

  it('tell of each answer to getMany as it comes', async () => {
    const expirationTime = getDHTTime() + 600
    const entries = [0, 1, 2].map((i) => ({ key: ['progress', i], value: i }))
    await nodes[0].storeMany(entries, { expirationTime })
    const events: GetProgressEvent[] = []
    const keys = [['progress', 2], 'nobody wrote here', ['progress', 0]]
    const found = await nodes[1].getMany(keys, { onProgress: (event) => events.push(event) })

    expect(found.map((one) => one?.value)).toEqual([2, undefined, 0])
    expect(events.sort((a, b) => a.index - b.index)).toEqual([
      { name: 'found', index: 0, key: ['progress', 2], found: { value: 2, expirationTime } },
      { name: 'not-found', index: 1, key: 'nobody wrote here' },
      { name: 'found', index: 2, key: ['progress', 0], found: { value: 0, expirationTime } }
    ])
  })

  it('name the nearest peers of a key, without the one that asks', async () => {
    const [first, second, third] = nodes
    const nearest = await first.findNearestPeers('key', { count: 20 })

    expect(nearest.map(String).sort()).toEqual(
      [second, third].map(({ peerId }) => peerId.toString()).sort()
    )
    expect(await first.findNearestPeers('key', { count: 1 })).toEqual(nearest.slice(0, 1))
  })
})
