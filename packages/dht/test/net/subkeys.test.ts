import { DHT, type Found, getDHTTime, ownerTag } from '@waggle/dht'
import { type Testnet, testnet } from '@waggle/dht/testnet'
import type { Subkey } from '@waggle/record'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { acquaint, PATIENCE, UNHURRIED } from '../support/libp2p-node.ts'
import { stockNode } from '../support/stock-node.ts'

const Answer = z.enum(['yes', 'no'])
const Party = { subkey: z.string(), value: Answer }

/** Counts the bytes that these nodes have served. */
function sentBy(nodes: Iterable<DHT>): number {
  return [...nodes].reduce((sum, node) => sum + node.stats().served.bytes, 0)
}

/** Counts the changes that these nodes have reported. */
function toldBy(nodes: Iterable<DHT>): number {
  return [...nodes].reduce((sum, node) => sum + node.stats().served.changes, 0)
}

/** The events of a watch, one by one. */
class Loop<T> {
  readonly events: T[] = []

  constructor(events: AsyncIterable<{ readonly current: T }>) {
    void (async () => {
      for await (const { current } of events) {
        this.events.push(current)
      }
    })()
  }

  /** Resolves with the event of this number, as soon as it is there. */
  async event(index: number): Promise<T> {
    await vi.waitUntil(() => this.events.length > index, PATIENCE)
    return this.events[index] as T
  }
}

describe('a subkey', () => {
  let net: Testnet
  let servers: readonly DHT[]
  let client: DHT

  beforeAll(async () => {
    net = await testnet(6, UNHURRIED)
    servers = [...net.nodes]
    client = await net.add({ clientMode: true })
  })

  afterAll(() => net?.stop())

  function node(n: number): DHT {
    return servers[n] as DHT
  }

  async function fill(key: string, count: number): Promise<number> {
    const expirationTime = getDHTTime() + 600
    const value = 'x'.repeat(100)
    await node(0).storeMany(
      Array.from({ length: count }, (_, subkey) => ({ key, subkey, value, expirationTime }))
    )
    return expirationTime
  }

  it('is read alone, without the rest of the dictionary (N4)', async () => {
    const count = 500
    const expirationTime = await fill('full', count)
    await using reader = await net.add({ clientMode: true, cache: false })
    await reader.get('full', { subkey: 1 })
    const before = sentBy(servers)
    const found = await reader.get('full', { subkey: 7 })
    const bytes = sentBy(servers) - before

    expect(found).toEqual({ value: 'x'.repeat(100), expirationTime })
    expect(bytes).toBeLessThan(1000)
    expect((await reader.get('full'))?.value).toHaveProperty('size', count)
    expect(sentBy(servers) - before).toBeGreaterThan(count * 100)
  })

  it('is undefined where the dictionary lacks it, and where a plain value is (R8)', async () => {
    await node(0).store('party', 'yes', { subkey: 'alice', ttl: 600 })
    await node(0).store('plain', 'value', { ttl: 600 })

    for (const latest of [false, true]) {
      expect(await client.get('party', { subkey: 'bob', latest })).toBeUndefined()
      expect(await client.get('plain', { subkey: 'bob', latest })).toBeUndefined()
      expect((await client.get('party', { subkey: 'alice', latest }))?.value).toBe('yes')
    }
  })

  it('is gone once it, or the whole key, is deleted (R4, R9)', async () => {
    await node(0).store('guests', 'yes', { subkey: 'alice', ttl: 600 })
    await node(0).store('guests', 'yes', { subkey: 'bob', ttl: 600 })
    expect((await client.get('guests', { subkey: 'alice' }))?.value).toBe('yes')
    expect(await node(1).delete('guests', { subkey: 'alice' })).toBe(true)
    expect(await client.get('guests', { subkey: 'alice', latest: true })).toBeUndefined()
    expect((await client.get('guests', { subkey: 'bob' }))?.value).toBe('yes')
    expect(await node(1).delete('guests')).toBe(true)

    expect(await client.get('guests', { subkey: 'bob', latest: true })).toBeUndefined()
  })

  it('is one of many that getMany reads, beside whole keys', async () => {
    await node(0).store('party', 'yes', { subkey: 'alice', ttl: 600 })
    await node(0).store('colour', 'blue', { ttl: 600 })
    const seen: [number, string, Subkey | undefined][] = []
    const found = await client.getMany(
      ['colour', { key: 'party', subkey: 'alice' }, { key: 'party', subkey: 'nobody' }],
      { latest: true, onProgress: ({ index, name, subkey }) => seen.push([index, name, subkey]) }
    )

    expect(found.map((each) => each?.value)).toEqual(['blue', 'yes', undefined])
    expect(seen.sort()).toEqual([
      [0, 'found', undefined],
      [1, 'found', 'alice'],
      [2, 'not-found', 'nobody']
    ])
    await expect(
      client.getMany([{ key: 'party', subkey: 'alice', subKey: 1 } as never])
    ).rejects.toThrow(/entry 0: place has no option subKey/)
  })

  it('belongs to its owner, with whose signature it is read (R15, R16)', async () => {
    const subkey = ownerTag(node(0).peerId)
    await node(0).store('seats', 'mine', { subkey, ttl: 600 })
    await node(1).store('seats', 'free', { subkey: 'seat 2', ttl: 600 })

    expect((await client.get('seats', { subkey, latest: true }))?.value).toBe('mine')
    expect((await client.get('seats', { subkey }))?.value).toBe('mine')
    await expect(client.delete('seats', { subkey })).rejects.toThrow('belongs to')
  })

  it('is watched alone: changes of others are not told', async () => {
    const party = 'watched party'
    await node(0).store(party, 'yes', { subkey: 'bob', ttl: 600 })
    await using watch = client.watch(party, { subkey: 'alice' })
    const loop = new Loop<Found | undefined>(watch)
    expect(await loop.event(0)).toBeUndefined()
    const watched = (): number =>
      servers.reduce((sum, each) => sum + each.stats().watchedForOthers, 0)
    await vi.waitUntil(() => watched() === 5, PATIENCE)
    const told = toldBy(servers)
    await node(1).store(party, 'no', { subkey: 'bob', ttl: 700 })
    await node(2).store(party, 'yes', { subkey: 'alice', ttl: 600 })

    expect(await loop.event(1)).toMatchObject({ value: 'yes' })
    await vi.waitUntil(() => toldBy(servers) - told >= 5, PATIENCE)
    expect(toldBy(servers) - told).toBe(5)
    await node(3).delete(party)
    expect(await loop.event(2)).toBeUndefined()
    expect(loop.events).toHaveLength(3)
  })

  it('is what a handle of a dictionary reads and watches', async () => {
    const party = node(0).dictionary('typed', Party, { ttl: 600 })
    const seen = client.dictionary('typed', Party)
    const misfits: unknown[] = []
    await party.store('alice', 'yes')
    await node(1).store('typed', 'perhaps', { subkey: 'mallory', ttl: 600 })
    const onMisfit = ({ subkey }: { readonly subkey: unknown }) => misfits.push(subkey)
    expect((await seen.get('alice', { latest: true }))?.value).toBe('yes')
    expect(
      await client.dictionary('typed', Party, { onMisfit }).get('mallory', { latest: true })
    ).toBeUndefined()
    expect(misfits).toEqual(['mallory'])

    await using watch = seen.watch({ subkey: 'alice' })
    const loop = new Loop(watch)
    expect(await loop.event(0)).toMatchObject({ value: 'yes' })
    await party.store('alice', 'no', { ttl: 700 })
    expect(await loop.event(1)).toMatchObject({ value: 'no' })
  })

  it('is found in a sealed view, whose names nobody sees', async () => {
    const secret = new Uint8Array(32).fill(7)
    const [mine, yours] = [node(0).sealed(secret), client.sealed(secret)]
    await mine.store('plans', 'dawn', { subkey: 'when', ttl: 600 })
    await mine.store('plans', 'here', { subkey: 'where', ttl: 600 })

    expect((await yours.get('plans', { subkey: 'when' }))?.value).toBe('dawn')
    expect(await yours.get('plans', { subkey: 'why' })).toBeUndefined()
    const found = await yours.getMany(['plans', { key: 'plans', subkey: 'where' }])
    expect(found[0]?.value).toHaveProperty('size', 2)
    expect(found[1]?.value).toBe('here')
    await using watch = yours.watch('plans', { subkey: 'when' })
    const loop = new Loop(watch)
    expect(await loop.event(0)).toMatchObject({ value: 'dawn' })
    await mine.store('plans', 'noon', { subkey: 'when', ttl: 700 })
    expect(await loop.event(1)).toMatchObject({ value: 'noon' })
  })
})

describe('a subkey at plain kad-dht peers', () => {
  it('is picked from the whole record that they answer with (N3)', async () => {
    await using first = await stockNode()
    await using second = await stockNode()
    await acquaint(first, second)
    const initialPeers = first.getMultiaddrs().map(String)
    const options = { clientMode: true, initialPeers, ...UNHURRIED }
    await using writer = await DHT.create(options)
    await using reader = await DHT.create(options)
    await writer.store('party', 'yes', { subkey: 'alice', ttl: 600 })
    await writer.store('party', 'no', { subkey: 'bob', ttl: 600 })

    expect((await reader.get('party', { subkey: 'bob' }))?.value).toBe('no')
    expect(await reader.get('party', { subkey: 'carol' })).toBeUndefined()
    expect((await reader.get('party', { subkey: 'alice', latest: true }))?.value).toBe('yes')
    await using watch = reader.watch('party', { subkey: 'alice' })
    const loop = new Loop(watch)
    expect(await loop.event(0)).toMatchObject({ value: 'yes' })
    await writer.store('party', 'late', { subkey: 'alice', ttl: 700 })
    expect(await loop.event(1)).toMatchObject({ value: 'late' })
  })
})
