import { DHT, getDHTTime } from '@waggle/dht'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { subkeysOf } from '../support/found.ts'
import { freeAddress } from '../support/loopback.ts'

describe('two peers', () => {
  let first: DHT
  let second: DHT

  beforeAll(async () => {
    const address = await freeAddress()
    first = await DHT.create({ listenOn: address })
    second = await DHT.create({ listenOn: await freeAddress(), initialPeers: [address] })
  })

  afterAll(async () => {
    await first?.stop()
    await second?.stop()
  })

  it('find each other by an address without a peer id', () => {
    expect(second.peers.map(String)).toEqual([first.peerId.toString()])
    expect(first.peers.map(String)).toEqual([second.peerId.toString()])
  })

  it('listen where they were told to', async () => {
    const address = await freeAddress()
    await using third = await DHT.create({ listenOn: address })
    const [, port] = address.split(':')

    expect(third.multiaddrs.map(String)).toEqual([
      `/ip4/127.0.0.1/tcp/${port}/p2p/${third.peerId}`,
      `/ip4/127.0.0.1/tcp/${port}/ws/p2p/${third.peerId}`
    ])
  })

  it('read what the other stored, until exactly the same moment', async () => {
    const expirationTime = getDHTTime() + 600
    const isStored = await first.store('my_key', ['i', 'love', 'bees'], { expirationTime })
    const found = await second.get('my_key', { latest: true })

    expect(isStored).toBe(true)
    expect(found?.value).toEqual(['i', 'love', 'bees'])
    expect(found?.expirationTime).toBe(expirationTime)
  })

  it('find nothing where nothing is stored', async () => {
    expect(await second.get('nobody wrote here')).toBeUndefined()
    expect(await first.get('nobody wrote here', { latest: true })).toBeUndefined()
  })

  it('make one party of what each of them stored under a subkey', async () => {
    const aliceGoesUntil = getDHTTime() + 600
    const carolStaysUntil = getDHTTime() + 601.25
    await first.store('party', 'yes', { subkey: 'alice', expirationTime: aliceGoesUntil })
    await second.store('party', 'no', { subkey: 'carol', expirationTime: carolStaysUntil })

    for (const peer of [first, second]) {
      expect(await peer.get('party', { latest: true })).toEqual({
        value: new Map([
          ['alice', { value: 'yes', expirationTime: aliceGoesUntil }],
          ['carol', { value: 'no', expirationTime: carolStaysUntil }]
        ]),
        expirationTime: carolStaysUntil
      })
    }
  })

  it('count a ttl in seconds from now', async () => {
    const before = getDHTTime()
    await first.store('for ten minutes', true, { ttl: 600 })
    const after = getDHTTime()
    const found = await second.get('for ten minutes')

    expect(found?.expirationTime).toBeGreaterThanOrEqual(before + 600)
    expect(found?.expirationTime).toBeLessThanOrEqual(after + 600)
  })

  it('lose nothing when all write to one party at once, and read it without a wait', async () => {
    const guests = Array.from({ length: 20 }, (_, i) => `guest ${i}`)
    const answers = await Promise.all(
      guests.map((subkey, i) =>
        [first, second][i % 2]?.store('crowded party', i, { subkey, ttl: 600 })
      )
    )
    const found = await second.get('crowded party', { latest: true })

    expect(answers).toEqual(guests.map(() => true))
    expect(new Set(subkeysOf(found))).toEqual(new Set(guests))
  })

  it('read nothing any more at the moment of expiration (R1)', async () => {
    const expirationTime = getDHTTime() + 4
    await first.store('short', 'lived', { expirationTime })

    expect(await second.get('short')).toEqual({ value: 'lived', expirationTime })
    await expect.poll(() => second.get('short'), { timeout: 10_000 }).toBeUndefined()
    expect(getDHTTime()).toBeGreaterThanOrEqual(expirationTime)
    expect(await first.get('short', { latest: true })).toBeUndefined()
  })

  it('answer false for what has expired already, and store nothing (R14)', async () => {
    expect(await first.store('past', 1, { expirationTime: getDHTTime() - 1 })).toBe(false)
    expect(await second.get('past', { latest: true })).toBeUndefined()
  })

  it('stop showing what was deleted (R9)', async () => {
    const expirationTime = getDHTTime() + 600
    await first.store('mistake', 'oops', { expirationTime })

    expect(await second.delete('mistake', { expirationTime: expirationTime + 1 })).toBe(true)
    expect(await first.get('mistake', { latest: true })).toBeUndefined()
    expect(await first.store('mistake', 'oops', { expirationTime })).toBe(false)
  })

  it('store and read many at once, in order', async () => {
    const entries = Array.from({ length: 40 }, (_, i) => ({ key: ['many', i], value: i }))
    const keys = [...entries.map(({ key }) => key), ['many', 'none']]

    expect(await first.storeMany(entries, { ttl: 600 })).toEqual(entries.map(() => true))
    expect((await second.getMany(keys)).map((found) => found?.value)).toEqual([
      ...entries.map(({ value }) => value),
      undefined
    ])
  })
})
