import { generateKeyPair } from '@libp2p/crypto/keys'
import { webSockets } from '@libp2p/websockets'
import { getDHTTime } from '@waggle/dht'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  float,
  HivemindDHT,
  type HivemindDHTOptions,
  type HivemindEntryFound,
  type HivemindFound,
  type HivemindKey,
  type HivemindValue,
  rsaSignatures,
  tuple
} from '../../src/index.ts'
import { type PythonPeer, PythonPeers } from '../support/python-peers.ts'

const { WAGGLE_HIVEMIND_PYTHON: PYTHON = '' } = process.env

/** Options of a wait for several round trips. */
const PATIENCE = { timeout: 20_000 }

const VALUES: readonly HivemindValue[] = [
  null,
  true,
  7,
  -(2n ** 63n),
  2n ** 64n - 1n,
  float(1),
  0.1,
  'é😀',
  Uint8Array.of(0, 255),
  [1, ['a', null]],
  tuple('a', tuple(1, float(2))),
  { a: 1, b: { c: [float(3)] } }
]

let python: PythonPeers
const running: HivemindDHT[] = []
const names = new Set<string>()

beforeAll(async () => {
  python = await PythonPeers.start(PYTHON)
})

afterEach(async () => {
  await Promise.all(running.splice(0).map((dht) => dht.stop()))
  await Promise.all(Array.from(names, (name) => python.stopPeer(name)))
  names.clear()
})

afterAll(async () => {
  await python?.[Symbol.asyncDispose]()
})

async function js(options: HivemindDHTOptions = {}): Promise<HivemindDHT> {
  const dht = await HivemindDHT.create(options)
  running.push(dht)
  return dht
}

async function py(name: string, options: Record<string, unknown> = {}): Promise<PythonPeer> {
  const peer = await python.startPeer(name, options)
  names.add(name)
  return peer
}

function addressesOf(dht: HivemindDHT): string[] {
  return dht.multiaddrs.map(String)
}

function later(seconds = 300): number {
  return getDHTTime() + seconds
}

function dictionary(found: HivemindFound | undefined): [HivemindKey, HivemindEntryFound][] {
  return found?.isDictionary === true ? [...found.value] : []
}

describe('with Python Hivemind', () => {
  it('1: Python gets what JavaScript stores, expirations to the bit', async () => {
    const { maddrs } = await py('a')
    const dht = await js({ initialPeers: maddrs })

    for (const [i, value] of VALUES.entries()) {
      const expirationTime = later() + i / 7
      expect(await dht.store(`key ${i}`, value, { expirationTime })).toBe(true)
      const found = await python.get('a', `key ${i}`)
      expect(found).toEqual({ value: exact(value), expirationTime })
    }
  })

  it('2: JavaScript gets what Python stores, expirations to the bit', async () => {
    const { maddrs } = await py('a')
    const dht = await js({ initialPeers: maddrs })

    for (const [i, value] of VALUES.entries()) {
      const expirationTime = later() + i / 7
      expect(await python.store('a', `key ${i}`, value, { expirationTime })).toBe(true)
      const found = await dht.get(`key ${i}`, { latest: true, exactFloats: true })
      expect(found).toEqual({ isDictionary: false, value: exact(value), expirationTime })
    }
  })

  it('3: JavaScript reads a dictionary of Python with subkeys of all types', async () => {
    const { maddrs } = await py('a')
    const dht = await js({ initialPeers: maddrs })
    const subkeys = ['text', Uint8Array.of(1, 2), 5, float(2.5), tuple('t', 0)]

    for (const [i, subkey] of subkeys.entries()) {
      const expirationTime = later() + i / 3
      expect(await python.store('a', 'all', i, { subkey, expirationTime })).toBe(true)
    }

    const found = await dht.get('all', { latest: true, exactFloats: true })
    const byPython = await python.get('a', 'all')
    const asPython = dictionary(found).map(([subkey, { value, expirationTime }]) => [
      ...[subkey, value, expirationTime]
    ])
    expect(asPython).toHaveLength(5)
    expect(new Set(asPython.map(String))).toEqual(new Set(byPython?.entries?.map(String)))
  })

  it('4: both write into one dictionary, and both read all of it', async () => {
    const { maddrs } = await py('a')
    const dht = await js({ initialPeers: maddrs })
    const times = [0, 1, 2, 3].map((i) => later() + i)

    for (const [i, expirationTime] of times.entries()) {
      const subkey = `guest ${i}`
      expect(
        i % 2 === 0
          ? await dht.store('party', i, { subkey, expirationTime })
          : await python.store('a', 'party', i, { subkey, expirationTime })
      ).toBe(true)
    }

    const expected = times.map((expirationTime, i) => [`guest ${i}`, i, expirationTime])
    const here = dictionary(await dht.get('party', { latest: true })).map(([subkey, one]) => [
      ...[subkey, one.value, one.expirationTime]
    ])
    const there = (await python.get('a', 'party'))?.entries?.map((entry) => [...entry])
    expect(here.toSorted()).toEqual(expected)
    expect(there?.toSorted()).toEqual(expected)
  })

  it('5: is in every table, and serves what only it holds', async () => {
    const { maddrs } = await py('a')
    await py('b', { initial_peers: maddrs })
    const dht = await js({ initialPeers: maddrs })
    const id = dht.peerId.toString()

    await expect.poll(() => python.table('a')).toContain(id)
    await expect.poll(() => python.table('b')).toContain(id)
    await python.store('a', 'plain', 'x', { expirationTime: later() })
    await python.store('b', 'dictionary', 'y', { subkey: 's', expirationTime: later() })
    expect(dht.stats().records).toBe(2)

    const third = await js({ clientMode: true, initialPeers: dht.multiaddrs })
    expect((await third.get('plain'))?.value).toBe('x')
    await python.stopPeer('a')
    names.delete('a')
    expect((await python.get('b', 'plain'))?.value).toBe('x')
  })

  it('6: is found by a Python peer that joins later through another one', async () => {
    const { maddrs } = await py('a')
    const dht = await js({ initialPeers: maddrs })
    await py('late', { initial_peers: maddrs })

    await expect.poll(() => python.table('late')).toContain(dht.peerId.toString())
    expect(await python.store('late', 'k', 1, { expirationTime: later() })).toBe(true)
    await expect.poll(() => dht.stats().records).toBe(1)
  })

  it('7: is the only initial peer of Python peers, which meet through it', async () => {
    const dht = await js()
    const a = await py('a', { initial_peers: addressesOf(dht) })
    const b = await py('b', { initial_peers: addressesOf(dht) })

    await expect.poll(() => python.table('b')).toContain(a.peerId)
    await expect.poll(() => python.table('a')).toContain(b.peerId)
    expect(await python.store('a', 'k', 'x', { expirationTime: later() })).toBe(true)
    await dht.stop()
    expect((await python.get('b', 'k'))?.value).toBe('x')
  })

  it('8: reads and writes as a client, and is in no table', async () => {
    const { maddrs } = await py('a')
    const dht = await js({ initialPeers: maddrs, clientMode: true })

    expect(await dht.store('k', 'x', { ttl: 60 })).toBe(true)
    expect((await dht.get('k'))?.value).toBe('x')
    expect((await python.get('a', 'k'))?.value).toBe('x')
    expect(await python.table('a')).not.toContain(dht.peerId.toString())
  })

  it('9: serves a Python client', async () => {
    const dht = await js()
    const { peerId } = await py('a', { initial_peers: addressesOf(dht), client_mode: true })

    expect(await python.store('a', 'k', 'x', { expirationTime: later() })).toBe(true)
    expect((await python.get('a', 'k'))?.value).toBe('x')
    expect(dht.stats().records).toBe(1)
    expect(dht.knownPeers.map(String)).not.toContain(peerId)
  })

  it('10: has an RSA identity where it is given one', async () => {
    const dht = await js({ privateKey: await generateKeyPair('RSA', 2048) })
    expect(dht.peerId.toString()).toMatch(/^Qm/)
    await py('a', { initial_peers: addressesOf(dht) })

    expect(await python.store('a', 'k', 'x', { expirationTime: later() })).toBe(true)
    expect((await dht.get('k'))?.value).toBe('x')
  })

  it('11: takes over what Python holds, and hands over to Python', async () => {
    const { maddrs } = await py('a')

    for (let i = 0; i < 10; i++) {
      await python.store('a', `dictionary ${i}`, i, { subkey: 's', expirationTime: later() })
    }

    const dht = await js({ initialPeers: maddrs })
    await expect.poll(() => dht.stats().records).toBe(10)

    const alone = await js()
    const entries = Array.from({ length: 10 }, (_, i) => ({ key: `k ${i}`, value: i, subkey: 's' }))
    await alone.storeMany(entries, { ttl: 60 })
    await py('b', { initial_peers: addressesOf(alone) })
    await expect.poll(() => python.storage('b')).toBe(10)
    await alone.stop()
    expect((await python.get('b', 'k 3'))?.entries?.[0]?.slice(0, 2)).toEqual(['s', 3])
  })

  it('12: announces as a server of Petals does, and reads such an announcement', async () => {
    const { maddrs, peerId } = await py('a')
    const dht = await js({ initialPeers: maddrs })
    const announcement = tuple(2, float(12), {
      start_block: 0,
      end_block: 2,
      version: '2.3.0.dev2',
      adapters: tuple(),
      next_pings: { [peerId]: 0.25 }
    })
    const expirationTime = later()
    await dht.store('model.0', announcement, { subkey: dht.peerId.toString(), expirationTime })
    await python.store('a', 'model.1', announcement, { subkey: peerId, expirationTime })

    const there = await python.get('a', 'model.0')
    expect(there?.entries).toEqual([[dht.peerId.toString(), exact(announcement), expirationTime]])
    const here = dictionary(await dht.get('model.1', { latest: true, exactFloats: true }))
    expect(here).toEqual([[peerId, { value: exact(announcement), expirationTime }]])
  })

  it('13: signs for Python, and verifies what Python signs', async () => {
    const { maddrs, ownerTag } = await py('a', { rsa: true })
    const signatures = rsaSignatures({ privateKey: await generateKeyPair('RSA', 2048) })
    const dht = await js({ initialPeers: maddrs, validators: [signatures] })
    const other = await js({ initialPeers: maddrs })
    const mine = `mine ${signatures.ownerTag}`
    const theirs = `theirs ${ownerTag}`

    expect(await dht.store('signed', 'ours', { subkey: mine, ttl: 60 })).toBe(true)
    const stored = await python.store('a', 'signed', 'python', {
      subkey: theirs,
      expirationTime: later()
    })
    expect(stored).toBe(true)
    const there = await python.get('a', 'signed')
    expect(new Map(there?.entries?.map(([subkey, value]) => [subkey, value]))).toEqual(
      new Map([
        [mine, 'ours'],
        [theirs, 'python']
      ])
    )
    const here = dictionary(await other.get('signed', { latest: true }))
    expect(here.map(([subkey, { value }]) => [subkey, value]).toSorted()).toEqual([
      [mine, 'ours'],
      [theirs, 'python']
    ])
    await expect(other.store('signed', 'lies', { subkey: theirs, ttl: 900 })).rejects.toThrow(
      expect.objectContaining({ name: 'ValidationError' })
    )
  })

  it('14: counts a write as stored that Python refuses because it has it', async () => {
    const { maddrs } = await py('a')
    const dht = await js({ initialPeers: maddrs })
    const client = await js({ initialPeers: maddrs, clientMode: true })
    const expirationTime = later()

    expect(await dht.store('k', 'x', { expirationTime })).toBe(true)
    expect(await client.store('k', 'x', { expirationTime })).toBe(true)
    expect(await client.store('k', 'y', { expirationTime: expirationTime - 1 })).toBe(false)
    // The tie: Python keeps whichever came first, and every JavaScript reader sees the greater bytes.
    await python.store('a', 'k', 'a', { expirationTime })
    expect((await client.get('k', { latest: true }))?.value).toBe('x')
    expect((await dht.get('k', { latest: true }))?.value).toBe('x')
  })
  it('15: joins by WebSocket alone, as a browser does', async () => {
    const { maddrs } = await py('a', { host_maddrs: ['/ip4/127.0.0.1/tcp/0/ws'] })
    expect(maddrs.every((address) => address.includes('/ws/'))).toBe(true)
    const dht = await js({
      initialPeers: maddrs,
      clientMode: true,
      libp2pOptions: { transports: [webSockets()] }
    })
    const expirationTime = later()
    expect(await dht.store('by WebSocket', 'yes', { expirationTime })).toBe(true)
    expect(await python.get('a', 'by WebSocket')).toEqual({ value: 'yes', expirationTime })
  })

  it('16: is reached through a Python peer that relays', async () => {
    const { maddrs } = await py('a')
    const hidden = await js({ initialPeers: maddrs, relay: true })
    await expect.poll(() => addressesOf(hidden).join(), PATIENCE).toContain('/p2p-circuit')
    const other = await js({ initialPeers: maddrs, clientMode: true })

    await expect
      .poll(async () => (await other.findNearestPeers('any key')).map(String), PATIENCE)
      .toContain(hidden.peerId.toString())
    const [connection] = other.libp2p.getConnections(hidden.peerId)
    expect(connection?.remoteAddr.toString()).toContain('/p2p-circuit')
  })
})

/** Wraps each number that Python would read as a float. */
function exact(value: HivemindValue): HivemindValue {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) {
    return float(value)
  }

  if (Array.isArray(value)) {
    const items = value.map(exact)
    return Object.isFrozen(value) ? tuple(...items) : items
  }

  const isObject = value !== null && Object.getPrototypeOf(value) === Object.prototype
  return isObject
    ? Object.fromEntries(Object.entries(value).map(([name, one]) => [name, exact(one)]))
    : value
}
