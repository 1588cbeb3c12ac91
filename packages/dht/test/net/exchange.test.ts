import { generateKeyPair } from '@libp2p/crypto/keys'
import { DHT, getDHTTime } from '@waggle/dht'
import { testnet } from '@waggle/dht/testnet'
import {
  decodeRecord,
  encodeRecord,
  join,
  plainRecord,
  recordKey,
  subkeyRecord,
  view
} from '@waggle/record'
import { describe, expect, it, vi } from 'vitest'
import { EXCHANGE_PROTOCOL } from '../../src/exchange/messages.ts'
import { exchangeStreams, kadRequests } from '../support/exchange-net.ts'
import { acquaint, PATIENCE } from '../support/libp2p-node.ts'
import { heldBy, keyWhere, putAt } from '../support/replica.ts'
import { stockNode } from '../support/stock-node.ts'

describe('records between Waggle peers', () => {
  it('travel by the exchange alone (N3)', async () => {
    await using net = await testnet(5)
    const requests = kadRequests(net.nodes)
    const expirationTime = getDHTTime() + 600
    const entries = Array.from({ length: 50 }, (_, i) => ({ key: ['entry', i], value: i }))

    for (const [i, node] of net.nodes.entries()) {
      expect(await node.store(`by node ${i}`, i, { expirationTime })).toBe(true)
      expect(await node.delete(`by node ${i}`, { expirationTime: expirationTime + 1 })).toBe(true)
    }

    const [writer, reader] = net.nodes as [DHT, DHT]
    expect(await writer.storeMany(entries, { ttl: 600 })).toEqual(entries.map(() => true))

    for (const latest of [true, false]) {
      const found = await reader.getMany(
        entries.map(({ key }) => key),
        { latest }
      )
      expect(found.map((one) => one?.value)).toEqual(entries.map(({ value }) => value))
    }

    expect(await reader.get('nothing', { latest: true })).toBeUndefined()
    expect(requests.filter((type) => /VALUE/.test(type))).toEqual([])
    // The counting counts: this is how it looks when kad-dht's messages are used.
    await heldBy(writer, 'nothing', reader.libp2p)
    expect(requests).toContain('GET_VALUE')
  })

  it('keep to one stream a peer and direction, whatever is asked (N3)', async () => {
    await using net = await testnet(2)
    const [a, b] = net.nodes as [DHT, DHT]
    await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        [a, b].map((node) => node.store(i, i, { ttl: 600 }))
      ).flat()
    )
    const before = exchangeStreams(a, b.peerId)

    for (let i = 0; i < 100; i++) {
      await a.get(i, { latest: true })
      await b.get(i, { latest: true })
    }

    const after = exchangeStreams(a, b.peerId)
    expect(before.map(({ direction }) => direction).sort()).toEqual(['inbound', 'outbound'])
    expect(after.map(({ id }) => id).sort()).toEqual(before.map(({ id }) => id).sort())
  })

  it('are not asked of a client, which does not serve the exchange (N3, N6)', async () => {
    await using net = await testnet(2)
    const client = await net.add({ clientMode: true })
    const [server] = net.nodes as [DHT]
    await vi.waitUntil(() => server.libp2p.getConnections(client.peerId).length > 0, PATIENCE)

    await expect(
      server.libp2p.dialProtocol(client.peerId, EXCHANGE_PROTOCOL)
    ).rejects.toMatchObject({ name: 'UnsupportedProtocolError' })
    expect(await client.store('by the client', 1, { ttl: 600 })).toBe(true)
    expect(await client.get('by the client', { latest: true })).toMatchObject({ value: 1 })
    expect(client.stats().records).toBe(0)
  })

  it('come in any number over one stream (N3)', { timeout: 240_000 }, async () => {
    await using net = await testnet(2)
    const [a, b] = net.nodes as [DHT, DHT]
    const [waves, perWave] = [20, 5000]
    expect(await a.store('here', 1, { ttl: 6000 })).toBe(true)
    const [stream] = exchangeStreams(a, b.peerId).filter(
      ({ direction }) => direction === 'outbound'
    )

    for (let wave = 0; wave < waves; wave++) {
      const found = await Promise.all(
        Array.from({ length: perWave }, (_, i) => a.get(i % 10 === 0 ? 'here' : ['gone', wave, i]))
      )
      expect(found.filter((one) => one !== undefined)).toHaveLength(perWave / 10)
    }

    expect(exchangeStreams(a, b.peerId)).toContain(stream)
    expect(stream?.status).toBe('open')
  })
})

describe('a peer that starts again at its address with its identity', () => {
  it('is asked again by the next call (N8d)', async () => {
    const privateKey = await generateKeyPair('Ed25519')
    const first = await DHT.create({ privateKey, listenOn: '127.0.0.1:0' })
    const [listenOn] = first.multiaddrs
    await using client = await DHT.create({ clientMode: true, initialPeers: [...first.multiaddrs] })
    expect(await client.store('before', 1, { ttl: 600 })).toBe(true)

    await first.stop()
    await vi.waitUntil(() => client.peers.length === 0, PATIENCE)
    const address = String(listenOn).replace(/\/p2p\/.*$/, '')
    await using second = await DHT.create({ privateKey, listenOn: address })
    expect(second.peerId).toEqual(first.peerId)

    expect(await client.store('after', 2, { ttl: 600 })).toBe(true)
    expect(second.stats().records).toBe(1)
    expect(await client.get('after', { latest: true })).toMatchObject({ value: 2 })
  })

  it('is asked again on another stream when only the stream was lost (N8d)', async () => {
    await using net = await testnet(2)
    const [a, b] = net.nodes as [DHT, DHT]
    await a.store('before', 1, { ttl: 600 })

    for (const stream of exchangeStreams(b, a.peerId)) {
      stream.abort(new Error('lost'))
    }

    await vi.waitUntil(() => exchangeStreams(a, b.peerId).length === 0, PATIENCE)
    expect(await a.store('after', 2, { ttl: 600 })).toBe(true)
    expect(b.stats().records).toBe(2)
  })
})

describe('a network of Waggle peers and stock peers', () => {
  it('agrees for all writers and readers (N1, N3)', { timeout: 120_000 }, async () => {
    await using net = await testnet(3)
    await using first = await stockNode()
    await using second = await stockNode()
    const stock = [first, second]
    await acquaint(...net.nodes.map(({ libp2p }) => libp2p), ...stock)
    const expirationTime = getDHTTime() + 600

    for (const [i, node] of net.nodes.entries()) {
      expect(await node.store(['waggle', i], i, { expirationTime })).toBe(true)
    }

    for (const [i, node] of stock.entries()) {
      await node.contentRouting.put(
        recordKey(['stock', i]),
        encodeRecord(plainRecord(i, expirationTime))
      )
    }

    const keys = [0, 1, 2].map((i) => ['waggle', i]).concat([0, 1].map((i) => ['stock', i]))
    const values = [0, 1, 2, 0, 1]

    for (const node of net.nodes) {
      const found = await node.getMany(keys, { latest: true })
      expect(found.map((one) => one?.value)).toEqual(values)
    }

    for (const node of stock) {
      for (const [i, key] of keys.entries()) {
        const bytes = await node.contentRouting.get(recordKey(key))
        expect(decodeRecord(bytes)).toEqual(plainRecord(values[i] ?? null, expirationTime))
      }
    }
  })

  it('has a stock peer read and updated in the same operation as others (N1, N3, N6)', async () => {
    await using net = await testnet(3)
    await using stock = await stockNode()
    await acquaint(...net.nodes.map(({ libp2p }) => libp2p), stock)
    const key = keyWhere([stock, ...net.nodes], ([nearest]) => nearest === stock)
    const [writer, reader] = net.nodes as [DHT, DHT]
    const expirationTime = getDHTTime() + 600
    const theirs = subkeyRecord('theirs', 1, expirationTime)
    const ours = subkeyRecord('ours', 2, expirationTime)
    await putAt(stock, key, theirs, reader.libp2p)
    const requests = kadRequests([writer])

    expect(await writer.store(key, 2, { subkey: 'ours', expirationTime })).toBe(true)
    expect(await heldBy(stock, key, reader.libp2p)).toEqual(join(theirs, ours))
    expect(requests.filter((type) => /VALUE/.test(type))).toEqual(['GET_VALUE', 'PUT_VALUE'])

    const stale = { subkey: 'theirs', expirationTime: expirationTime - 100 }
    expect(await writer.store(key, 'older', stale)).toBe(false)
    expect((await reader.get(key, { latest: true }))?.value).toEqual(
      new Map([
        ['ours', { value: 2, expirationTime }],
        ['theirs', { value: 1, expirationTime }]
      ])
    )
  })

  it('sees one store by both ways (N2, N3)', async () => {
    await using net = await testnet(2)
    await using stock = await stockNode()
    const [a, b] = net.nodes as [DHT, DHT]
    await acquaint(a.libp2p, b.libp2p, stock)
    const expirationTime = getDHTTime() + 600
    const ours = subkeyRecord('ours', 1, expirationTime)
    const theirs = subkeyRecord('theirs', 2, expirationTime)
    const both = join(ours, theirs)

    expect(await a.store('key', 1, { subkey: 'ours', expirationTime })).toBe(true)
    expect(decodeRecord(await stock.contentRouting.get(recordKey('key')))).toEqual(ours)

    await putAt(a, 'key', theirs, stock)
    await putAt(b, 'key', theirs, stock)
    expect(await b.get('key', { latest: true })).toEqual(view(both))
    expect(await heldBy(a, 'key', stock)).toEqual(both)
    expect(await heldBy(b, 'key', stock)).toEqual(both)
  })
})
