import type { Libp2p, PeerId, ServiceMap } from '@libp2p/interface'
import { DEFAULTS, DHT, getDHTTime, TimeoutError } from '@waggle/dht'
import { testnet } from '@waggle/dht/testnet'
import {
  type DHTRecord,
  encodeRecord,
  type Key,
  plainRecord,
  recordKey,
  subkeyRecord
} from '@waggle/record'
import { DEFAULT_LIMITS } from '@waggle/record/replica'
import { describe, expect, it } from 'vitest'
import { acquaint, PATIENCE, UNHURRIED } from '../support/libp2p-node.ts'
import { infiltrate, lyingPeer, refusingPeer, silentPeer, slowPeer } from '../support/odd-peers.ts'
import { heldBy, keyWhere, nearestFirst, putAt } from '../support/replica.ts'

type Peer = { readonly peerId: PeerId }

describe('peers that are gone without goodbye', () => {
  it('five of twenty, keep nobody from storing and getting (N6, N8b)', {
    timeout: 240_000
  }, async () => {
    await using net = await testnet(20, UNHURRIED)
    const key = 'held by the dead and one other'
    const replicas = nearestFirst(key, net.nodes).slice(0, DEFAULTS.numReplicas)
    const others = net.nodes.filter((node) => !replicas.includes(node))
    const dead = [...replicas.slice(0, 4), ...others.slice(0, 1)]
    const alive = net.nodes.filter((node) => !dead.includes(node))

    expect(await others[1]?.store(key, 'survives', { ttl: 600 })).toBe(true)
    await Promise.all(dead.map(vanish))

    const found = await Promise.all(alive.map((node) => node.get(key, { latest: true })))
    expect(found.map((one) => one?.value)).toEqual(alive.map(() => 'survives'))

    const stored = await Promise.all(
      alive.map((node, i) => node.store(['after', i], i, { ttl: 600 }))
    )
    expect(stored).toEqual(alive.map(() => true))

    for (const [i, node] of alive.entries()) {
      const keys = alive.map((_, j) => ['after', j])
      const values = (await node.getMany(keys, { timeoutMs: 120_000 })).map((one) => one?.value)
      expect(values, `read by node ${i}`).toEqual(alive.map((_, j) => j))
    }
  })

  it('are replaced as replicas by the next nearest (N6)', async () => {
    await using net = await testnet(8, UNHURRIED)
    const key = 'held by the living'
    const nearest = nearestFirst(key, net.nodes)
    const [writer] = nearest.slice(-1)
    const alive = nearest.slice(2)
    await Promise.all(nearest.slice(0, 2).map(vanish))

    expect(await writer?.store(key, true, { ttl: 600 })).toBe(true)
    expect(await holders(alive, key)).toEqual(alive.slice(0, DEFAULTS.numReplicas))
  })

  it('leave a node to itself, which still stores and gets (N8b)', async () => {
    await using net = await testnet(3, UNHURRIED)
    const [survivor, ...dead] = net.nodes as [DHT, ...DHT[]]
    await survivor.store('before', 1, { ttl: 600 })
    await Promise.all(dead.map(vanish))

    expect(await survivor.get('before', { latest: true })).toMatchObject({ value: 1 })
    expect(await survivor.store('after', 2, { ttl: 600 })).toBe(true)
    expect(await survivor.get('after', { latest: true })).toMatchObject({ value: 2 })
  })
})

describe('a peer that takes requests and never answers', () => {
  const requestTimeoutMs = 2500

  it('costs at most one request timeout (N8b)', async () => {
    await using net = await testnet(6, { requestTimeoutMs })
    const silent = await silentPeer()
    await using _ = silent.node
    await infiltrate(silent.node, libp2pOf(net.nodes))
    const key = keyNearestTo(silent.node, net.nodes)

    const startMs = performance.now()
    const isStored = await net.nodes[0]?.store(key, 'stored', { ttl: 600 })
    const tookMs = performance.now() - startMs

    expect(isStored).toBe(true)
    expect(await holders(net.nodes, key)).toHaveLength(DEFAULTS.numReplicas)
    expect(silent.requests).toBe(1)
    expect(tookMs).toBeLessThan(2 * requestTimeoutMs)
  })

  it('is avoided after it was asked once (N8c)', async () => {
    await using net = await testnet(6, { requestTimeoutMs })
    const silent = await silentPeer()
    await using _ = silent.node
    await infiltrate(silent.node, libp2pOf(net.nodes))
    const key = keyNearestTo(silent.node, net.nodes)
    const [reader] = net.nodes as [DHT, ...DHT[]]

    expect(await reader.get(key, { latest: true })).toBeUndefined()
    expect(silent.requests).toBe(1)
    const startMs = performance.now()
    expect(await reader.store(key, 'stored', { ttl: 600 })).toBe(true)
    // A write is sent to it, too, and nobody waits for the reply.
    expect(performance.now() - startMs).toBeLessThan(requestTimeoutMs)
    expect(silent.requests).toBeLessThanOrEqual(2)
  })

  it('does not hold back a get that another one can answer (N5, N8b)', async () => {
    await using net = await testnet(6, UNHURRIED)
    const silent = await silentPeer()
    await using _ = silent.node
    const key = keyNearestTo(silent.node, net.nodes)
    const reader = nearestFirst(key, net.nodes).at(-1) as DHT
    expect(await reader.store(key, 'stored', { ttl: 600 })).toBe(true)
    await infiltrate(silent.node, libp2pOf(net.nodes))

    expect(await reader.get(key, { timeoutMs: 10_000 })).toMatchObject({ value: 'stored' })
  })

  it('does not outlast the time that the caller has (N8a)', async () => {
    await using dht = await DHT.create(UNHURRIED)
    const silent = await silentPeer()
    await using _ = silent.node
    await infiltrate(silent.node, [dht.libp2p])
    const caller = new AbortController()
    const reason = new Error('the caller has gone home')

    await expect(dht.get('key', { timeoutMs: 200 })).rejects.toBeInstanceOf(TimeoutError)
    const storing = dht.store('key', 1, { ttl: 600, signal: caller.signal })
    caller.abort(reason)
    await expect(storing).rejects.toBe(reason)
  })

  it('does not keep the node from stopping, which ends pending calls (N8a)', async () => {
    const dht = await DHT.create(UNHURRIED)
    const silent = await silentPeer()
    await using _ = silent.node
    await infiltrate(silent.node, [dht.libp2p])

    const reading = dht.get('key')
    await expect.poll(() => silent.requests, PATIENCE).toBe(1)
    const [rejected] = await Promise.all([reading.catch((error) => error), dht.stop()])
    expect(rejected).toMatchObject({ name: 'AbortError' })
    await expect(dht.get('key')).rejects.toMatchObject({ name: 'AbortError' })
  })
})

describe('a peer that is slow', () => {
  it('is waited for as long as requestTimeoutMs says (N8b)', async () => {
    await using dht = await DHT.create(UNHURRIED)
    await using slow = await slowPeer(1300)
    await acquaint(dht.libp2p, slow)
    await putAt(slow, 'key', plainRecord('worth the wait', getDHTTime() + 600), dht.libp2p)

    expect(await dht.get('key')).toMatchObject({ value: 'worth the wait' })
  })
})

describe('a replica that resets PUT_VALUE', () => {
  it('is replaced by the next nearest (N6)', async () => {
    await using net = await testnet(7, UNHURRIED)
    await using refusing = await refusingPeer()
    await acquaint(refusing, ...libp2pOf(net.nodes))
    const key = keyNearestTo(refusing, net.nodes)
    const nearest = nearestFirst(key, net.nodes)

    expect(await nearest[6]?.store(key, true, { ttl: 600 })).toBe(true)
    expect(await holders(nearest, key)).toEqual(nearest.slice(0, DEFAULTS.numReplicas))
  })

  it('is not needed where there are few others (N6)', async () => {
    await using net = await testnet(2, UNHURRIED)
    await using refusing = await refusingPeer()
    await acquaint(refusing, ...libp2pOf(net.nodes))

    expect(await net.nodes[0]?.store('key', true, { ttl: 600 })).toBe(true)
    expect(await holders(net.nodes, 'key')).toEqual(net.nodes)
  })
})

describe('a peer that lies', () => {
  const key = 'the truth'
  const bytes = recordKey(key)
  const now = getDHTTime()
  const truth = plainRecord('the truth itself', now + 600)
  const lie = encodeRecord(plainRecord('a lie', now + 6000))
  const trailing = Uint8Array.of(...lie, 0)

  it.each([
    ['with garbage', bytes, Uint8Array.of(0xff, 1, 2, 3)],
    ['with nothing', bytes, new Uint8Array()],
    ['with bytes after the record', bytes, trailing],
    ['with another key', recordKey('another key'), lie],
    ['with a key of no namespace', Uint8Array.of(1, 2, 3), lie],
    ['with what has expired', bytes, encodeRecord(plainRecord('a lie', now - 1))],
    ['with the far future', bytes, encodeRecord(plainRecord('a lie', now + 366 * 86_400))],
    ['with too large a value', bytes, encodeRecord(tooLarge(now + 6000))],
    ['with too large a subkey', bytes, encodeRecord(tooLargeSubkey(now + 6000))]
  ])('%s is not believed (N9a)', async (_, lieKey, value) => {
    await using net = await testnet(2, UNHURRIED)
    await using liar = await lyingPeer({ key: lieKey, value })
    const [writer, reader] = net.nodes as [DHT, DHT]
    await acquaint(liar, writer.libp2p, reader.libp2p)

    expect(await reader.get(key)).toBeUndefined()
    expect(await reader.get(key, { latest: true })).toBeUndefined()
    expect(await writer.store(key, 'the truth itself', { expirationTime: now + 600 })).toBe(true)

    for (const node of net.nodes) {
      expect(await node.get(key, { latest: true })).toMatchObject({ value: 'the truth itself' })
    }

    expect(await heldBy(reader, key, writer.libp2p)).toEqual(truth)
  })
})

/** Lists the nodes that hold something under a key, in the order given. */
async function holders(nodes: readonly DHT[], key: Key): Promise<DHT[]> {
  const held = await Promise.all(
    nodes.map((node, i) => heldBy(node, key, (nodes[i === 0 ? 1 : 0] as DHT).libp2p))
  )
  return nodes.filter((_, i) => held[i] !== undefined)
}

function keyNearestTo(peer: Peer, others: readonly Peer[]): string {
  return keyWhere([peer, ...others], ([nearest]) => nearest === peer)
}

function libp2pOf(nodes: readonly DHT[]): Libp2p<ServiceMap>[] {
  return nodes.map(({ libp2p }) => libp2p)
}

/** Cuts all connections of a node, then stops it. */
async function vanish({ libp2p }: DHT): Promise<void> {
  for (const connection of libp2p.getConnections()) {
    connection.abort(new Error('the cable was cut'))
  }

  await libp2p.stop()
}

function tooLarge(expirationTime: number): DHTRecord {
  const limits = { ...DEFAULT_LIMITS, maxValueBytes: 2 ** 20 }
  return plainRecord('a'.repeat(DEFAULT_LIMITS.maxValueBytes), expirationTime, limits)
}

function tooLargeSubkey(expirationTime: number): DHTRecord {
  const limits = { ...DEFAULT_LIMITS, maxSubkeyBytes: 2 ** 20 }
  return subkeyRecord('a'.repeat(DEFAULT_LIMITS.maxSubkeyBytes), 1, expirationTime, limits)
}
