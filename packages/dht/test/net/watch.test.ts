import { peerIdFromString } from '@libp2p/peer-id'
import { DHT, getDHTTime } from '@waggle/dht'
import { type Testnet, testnet } from '@waggle/dht/testnet'
import { plainRecord } from '@waggle/record'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { WATCH_PROTOCOL } from '../../src/watch/watch-messages.ts'
import { type Collected, collected } from '../support/collected.ts'
import { subkeysOf } from '../support/found.ts'
import { acquaint, PATIENCE, UNHURRIED, untilKnown } from '../support/libp2p-node.ts'
import { PeerProcess } from '../support/peer-process.ts'
import { keyWhere, nearestFirst, putAt } from '../support/replica.ts'
import { stockNode } from '../support/stock-node.ts'

/** Counts the keys that these nodes watch for others. */
function watchedBy(nodes: Iterable<DHT>): number {
  return [...nodes].reduce((sum, node) => sum + node.stats().watchedForOthers, 0)
}

/** Resolves when this many replicas notify. */
async function untilWatched(nodes: Iterable<DHT>, count: number): Promise<void> {
  await vi.waitUntil(() => watchedBy(nodes) === count, PATIENCE)
}

describe('watch', () => {
  let net: Testnet
  let servers: DHT[]
  let client: DHT

  beforeAll(async () => {
    net = await testnet(6, UNHURRIED)
    servers = [...net.nodes]
    client = await net.add({ clientMode: true })
  })

  afterAll(() => net?.stop())

  /** Starts a loop at the client, and waits until the replicas know of it. */
  async function begun(key: string): Promise<Collected> {
    const before = watchedBy(servers)
    const loop = collected(client.watch(key))
    await untilWatched(servers, before + 5)
    return loop
  }

  /** Does the same with a key that holds nothing. */
  async function begunEmpty(key: string): Promise<Collected> {
    const loop = await begun(key)
    expect(await loop.next()).toBeUndefined()
    return loop
  }

  it('delivers what is there, then what others store, then undefined when it is deleted', async () => {
    const [first, second] = servers as [DHT, DHT]
    const expirationTime = getDHTTime() + 600
    await first.store('plain', 'first', { expirationTime })
    const loop = await begun('plain')
    expect(await loop.next()).toEqual({ value: 'first', expirationTime })
    await second.store('plain', { n: 2 }, { expirationTime: expirationTime + 1 })
    expect(await loop.next()).toEqual({ value: { n: 2 }, expirationTime: expirationTime + 1 })
    await first.delete('plain', { expirationTime: expirationTime + 2 })
    expect(await loop.next()).toBeUndefined()
    await client.store('plain', 'by the watcher', { expirationTime: expirationTime + 3 })
    expect(await loop.nextValue()).toBe('by the watcher')
    expect(loop.unread).toBe(0)
  })

  it('delivers the dictionary that all write to, joined, and without what has expired', async () => {
    const expirationTime = getDHTTime() + 3
    const loop = await begunEmpty('party')
    await Promise.all(
      servers.map((node, i) =>
        node.store('party', 'yes', {
          subkey: `guest ${i}`,
          expirationTime: expirationTime + i * 100
        })
      )
    )
    let last = await loop.next()

    while (subkeysOf(last).length < servers.length) {
      last = await loop.next()
    }

    expect(getDHTTime()).toBeLessThan(expirationTime)
    const next = await loop.next()
    expect(getDHTTime()).toBeGreaterThanOrEqual(expirationTime)
    expect(subkeysOf(next)).toEqual(servers.slice(1).map((_, i) => `guest ${i + 1}`))
  })

  it('delivers undefined when the last of it has expired', async () => {
    const loop = await begunEmpty('short')
    await servers[0]?.store('short', 'lived', { ttl: 2 })
    const found = await loop.next()
    expect(found?.value).toBe('lived')
    expect(await loop.next()).toBeUndefined()

    expect(getDHTTime()).toBeGreaterThanOrEqual(found?.expirationTime ?? Number.NaN)
  })

  it('delivers what only one of the replicas was told, whichever it is', async () => {
    const loop = await begunEmpty('one by one')
    const replicas = nearestFirst('one by one', servers).slice(0, 5)

    for (const [i, replica] of replicas.entries()) {
      const record = plainRecord(`told ${i}`, getDHTTime() + 600 + i)
      await putAt(replica, 'one by one', record, client.libp2p)
      expect(await loop.nextValue()).toBe(`told ${i}`)
    }
  })

  it('delivers what a replica that watches holds itself', async () => {
    const key = keyWhere(servers, ([nearest]) => nearest === servers[0])
    const loop = collected((servers[0] as DHT).watch(key))
    expect(await loop.next()).toBeUndefined()
    await putAt(servers[0] as DHT, key, plainRecord('here', getDHTTime() + 600), client.libp2p)

    expect(await loop.nextValue()).toBe('here')
  })

  it('has each replica tell a change once, however many watch in one node', async () => {
    const before = watchedBy(servers)
    const loops = Array.from({ length: 200 }, () => collected(client.watch('popular')))
    await untilWatched(servers, before + 5)
    await Promise.all(loops.map((loop) => loop.next()))
    await servers[0]?.store('popular', 'for all', { ttl: 600 })

    expect(new Set(await Promise.all(loops.map((loop) => loop.nextValue())))).toEqual(
      new Set(['for all'])
    )
    expect(watchedBy(servers)).toBe(before + 5)
    expect(client.stats().watchedKeys).toBeGreaterThan(0)
  })

  it('lets go of the replicas when the loop is left', async () => {
    const before = watchedBy(servers)
    await servers[0]?.store('left', 1, { ttl: 600 })

    for await (const { current } of client.watch('left')) {
      expect(current?.value).toBe(1)
      break
    }

    await untilWatched(servers, before)
  })

  it('ends as by break when its signal is aborted, and lets go of the replicas', async () => {
    const before = watchedBy(servers)
    const abort = new AbortController()
    const loop = collected(client.watch('aborted', { signal: abort.signal }))
    await untilWatched(servers, before + 5)
    abort.abort(new Error('enough'))
    await loop.ended
    await untilWatched(servers, before)
  })

  it('ends as by break when the DHT stops, though the node goes on', async () => {
    const before = watchedBy(servers)
    const borrowing = await DHT.create({ libp2p: client.libp2p })
    const loop = collected(borrowing.watch('stopped'))
    await untilWatched(servers, before + 5)
    await borrowing.stop()
    await loop.ended
    await untilWatched(servers, before)
    expect(await borrowing.watch('stopped').next()).toMatchObject({ done: true })
  })

  it('throws at once for what can not be a key', () => {
    expect(() => client.watch(undefined as never)).toThrow(TypeError)
  })
})

describe('watch, where peers come and go', { timeout: 120_000 }, () => {
  it('is told by the peer that takes the place of a killed replica', async () => {
    await using net = await testnet(4, { ...UNHURRIED, numReplicas: 1 })
    const [first] = net.nodes as [DHT, ...DHT[]]
    const client = await net.add({ clientMode: true })
    await using doomed = await PeerProcess.start({
      initialPeers: first.multiaddrs.map(String),
      numReplicas: 1
    })
    const doomedPeer = peerIdFromString(doomed.multiaddrs[0]?.split('/p2p/')[1] ?? '')
    const servers = net.nodes.filter(({ clientMode }) => !clientMode)
    await untilKnown(servers.map(({ libp2p }) => [libp2p, { peerId: doomedPeer }] as const))
    const peers = [...servers, { peerId: doomedPeer }]
    const key = keyWhere(peers, ([nearest]) => nearest?.peerId === doomedPeer)
    const loop = collected(client.watch(key))
    await vi.waitUntil(async () => (await doomed.stats()).watchedForOthers === 1, PATIENCE)
    expect(await loop.next()).toBeUndefined()
    await first.store(key, 'before', { ttl: 600 })
    expect(await loop.nextValue()).toBe('before')

    await doomed.kill()
    // As the dead replica can't be dialled, the client may watch through gateways, too (N14).
    await vi.waitUntil(() => watchedBy(servers) >= 1, PATIENCE)
    await first.store(key, 'after', { ttl: 700 })
    expect(await loop.nextValue()).toBe('after')
  })

  it('is told by a newcomer that is nearer, alone', async () => {
    await using net = await testnet(4, { ...UNHURRIED, numReplicas: 1 })
    const client = await net.add({ clientMode: true })
    const keys = Array.from({ length: 100 }, (_, i) => `key ${i}`)
    const loops = new Map(keys.map((key) => [key, collected(client.watch(key))]))
    await untilWatched(net.nodes.slice(0, 4), keys.length)
    await Promise.all([...loops.values()].map((loop) => loop.next()))
    const newcomer = await net.add()
    const servers = net.nodes.filter(({ clientMode }) => !clientMode)
    const near = keys.filter((key) => nearestFirst(key, servers)[0] === newcomer)
    expect(near.length).toBeGreaterThan(0)
    await untilWatched([newcomer], near.length)
    await vi.waitUntil(() => watchedBy(servers) === keys.length, PATIENCE)

    for (const key of near) {
      await putAt(newcomer, key, plainRecord(key, getDHTTime() + 600), client.libp2p)
      expect(await loops.get(key)?.nextValue()).toBe(key)
    }
  })

  it('is told by those that know how to, where others do not', async () => {
    await using net = await testnet(5, UNHURRIED)
    const client = await net.add({ clientMode: true })
    const [first, ...others] = net.nodes.slice(0, 5) as [DHT, ...DHT[]]
    await Promise.all(others.map(({ libp2p }) => libp2p.unhandle(WATCH_PROTOCOL)))
    await others[0]?.store('key', 'first', { ttl: 600 })
    const loop = collected(client.watch('key'))
    await untilWatched([first], 1)
    expect(await loop.nextValue()).toBe('first')
    await others[0]?.store('key', 'second', { ttl: 700 })

    expect(await loop.nextValue()).toBe('second')
  })

  it('reads every 5 seconds where only stock peers are', async () => {
    await using first = await stockNode()
    await using second = await stockNode()
    await acquaint(first, second)
    const address = first.getMultiaddrs().map(String)
    await using client = await DHT.create({ clientMode: true, initialPeers: address, ...UNHURRIED })
    await using writer = await DHT.create({ clientMode: true, initialPeers: address, ...UNHURRIED })
    await writer.store('key', 'first', { ttl: 600 })
    const loop = collected(client.watch('key'))
    expect(await loop.nextValue()).toBe('first')
    await writer.store('key', 'second', { ttl: 700 })

    expect(await loop.nextValue()).toBe('second')
  })
})
