import { generateKeyPair } from '@libp2p/crypto/keys'
import { getDHTTime } from '@waggle/dht'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  float,
  HivemindDHT,
  type HivemindDHTOptions,
  rsaSignatures,
  schemaValidator,
  tuple
} from '../../src/index.ts'

const started: HivemindDHT[] = []

afterEach(async () => {
  await Promise.all(started.splice(0).map((dht) => dht.stop()))
})

async function start(options: HivemindDHTOptions = {}): Promise<HivemindDHT> {
  const dht = await HivemindDHT.create(options)
  started.push(dht)
  return dht
}

/** Starts nodes that all know each other. */
async function network(count: number, options: HivemindDHTOptions = {}): Promise<HivemindDHT[]> {
  const first = await start(options)
  const nodes = [first]

  for (let i = 1; i < count; i++) {
    nodes.push(await start({ initialPeers: first.multiaddrs, ...options }))
  }

  await expect
    .poll(() => nodes.map(({ knownPeers }) => knownPeers.length), { timeout: 10_000 })
    .toEqual(nodes.map(() => count - 1))
  return nodes
}

describe('HivemindDHT', () => {
  it('gets on one node what was stored on another', async () => {
    const [a, b] = await network(2)
    const expirationTime = getDHTTime() + 60
    const value = { floats: [1.5], tuple: tuple('a', 1), bytes: Uint8Array.of(1), none: null }

    expect(await a?.store('key', value, { expirationTime })).toBe(true)
    expect(await b?.get('key')).toEqual({ isDictionary: false, value, expirationTime })
  })

  it('merges subkeys of several writers', async () => {
    const nodes = await network(8)
    const stored = await Promise.all(
      nodes.map((node, i) => node.store('party', i, { subkey: `guest ${i}`, ttl: 60 }))
    )
    const found = await nodes[3]?.get('party', { latest: true })

    expect(stored).toEqual(nodes.map(() => true))
    expect(found?.isDictionary).toBe(true)
    const value = found?.value as ReadonlyMap<string, { value: number }>
    expect(Array.from(value, ([subkey, entry]) => [subkey, entry.value]).toSorted()).toEqual(
      nodes.map((_, i) => [`guest ${i}`, i])
    )
  })

  it('finds nothing where nothing is, and says so when nobody answers', async () => {
    const [a, b] = await network(2)
    expect(await a?.get('nothing')).toBeUndefined()
    const client = await start({ initialPeers: a?.multiaddrs ?? [], clientMode: true })
    expect(await client.get('nothing')).toBeUndefined()
    await Promise.all([a?.stop(), b?.stop()])
    await expect(client.get('nothing', { timeoutMs: 8000 })).rejects.toThrow(
      expect.objectContaining({ name: 'UnreachableError' })
    )
  })

  it('tells apart keys that Python tells apart', async () => {
    const [a, b] = await network(2)
    const keys = ['1', 1, float(1), true, Uint8Array.of(49), tuple(1)]
    await a?.storeMany(keys.map((key, i) => ({ key, value: i, ttl: 60 })))

    const found = await b?.getMany(keys)
    expect(found?.map((one) => one?.value)).toEqual([0, 1, 2, 3, 4, 5])
  })

  it('refuses what is older, and counts a repeated write as stored', async () => {
    const [a, b] = await network(2)
    const expirationTime = getDHTTime() + 60
    expect(await a?.store('key', 'x', { expirationTime })).toBe(true)
    expect(await b?.store('key', 'x', { expirationTime })).toBe(true)
    expect(await b?.store('key', 'y', { expirationTime: expirationTime - 1 })).toBe(false)
    expect((await b?.get('key'))?.value).toBe('x')
    expect(await b?.store('key', 'y', { expirationTime: getDHTTime() - 1 })).toBe(false)
  })

  it('stores again unchanged what was read', async () => {
    const [a, b] = await network(2)
    const value = [float(1), 2, tuple(float(3))]
    await a?.store('key', value, { ttl: 60 })
    const found = await b?.get('key', { exactFloats: true })
    await b?.store('copy', found?.value as typeof value, { ttl: 60 })

    expect((await a?.get('copy', { exactFloats: true }))?.value).toEqual(value)
    expect((await a?.get('copy'))?.value).toEqual([1, 2, tuple(3)])
  })

  it('hands over to a newcomer what it is near to', async () => {
    const first = await start()
    await first.storeMany(
      Array.from({ length: 50 }, (_, i) => ({ key: `key ${i}`, value: i, ttl: 60 }))
    )
    const second = await start({ initialPeers: first.multiaddrs })

    await expect.poll(() => second.stats().records).toBe(50)
  })

  it('protects signed subkeys', async () => {
    const privateKey = await generateKeyPair('RSA', 2048)
    const signatures = rsaSignatures({ privateKey })
    const [a, b] = await network(2)
    const owner = await start({ initialPeers: a?.multiaddrs ?? [], validators: [signatures] })
    const subkey = `mine ${signatures.ownerTag}`

    expect(await owner.store('key', 'true', { subkey, ttl: 60 })).toBe(true)
    await expect(b?.store('key', 'lies', { subkey, ttl: 90 })).rejects.toThrow(/0 signatures/)
    const found = await b?.get('key', { latest: true })
    expect(found?.value).toEqual(new Map([[subkey, expect.objectContaining({ value: 'true' })]]))
  })

  it('refuses what a schema does', async () => {
    const validator = schemaValidator({ rules: [{ key: 'n', value: z.int() }] })
    const dht = await start({ validators: [validator] })
    await expect(dht.store('n', 'text', { ttl: 60 })).rejects.toThrow(
      expect.objectContaining({ name: 'ValidationError' })
    )
    expect(await dht.store('n', 1, { ttl: 60 })).toBe(true)
  })

  it('goes on when peers die, and repairs what they held', async () => {
    const nodes = await network(8)
    await nodes[0]?.store('key', 'x', { ttl: 60 })
    const holders = nodes.filter((node) => node.stats().records > 0)
    expect(holders.length).toBeGreaterThanOrEqual(5)
    await Promise.all(holders.slice(0, 2).map((node) => node.stop()))
    const alive = nodes.filter((node) => !holders.slice(0, 2).includes(node))

    for (const node of alive) {
      expect((await node.get('key', { latest: true }))?.value).toBe('x')
    }

    await expect
      .poll(() => alive.filter((node) => node.stats().records > 0).length)
      .toBeGreaterThanOrEqual(5)
  })

  it('says why it can neither delete nor watch', async () => {
    const dht = await start()
    await expect(dht.delete()).rejects.toThrow(TypeError)
    expect(() => dht.watch()).toThrow(/latest/)
  })

  it('refuses unknown options by name', async () => {
    await expect(HivemindDHT.create({ numReplica: 3 } as never)).rejects.toThrow(/numReplica/)
  })

  it('names each initial peer that cannot be reached', async () => {
    await expect(HivemindDHT.create({ initialPeers: '127.0.0.1:1' })).rejects.toThrow(
      expect.objectContaining({ name: 'BootstrapError' })
    )
    const alone = await start({ initialPeers: '127.0.0.1:1', requireBootstrap: false })
    expect(alone.knownPeers).toEqual([])
  })
})
