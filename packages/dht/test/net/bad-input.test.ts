import type { Libp2p, ServiceMap } from '@libp2p/interface'
import { DHT, waggle, waggleKadDHT } from '@waggle/dht'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { basicServices, libp2pNode } from '../support/libp2p-node.ts'
import { rejection } from '../support/rejection.ts'

const cycle: unknown[] = []
cycle.push({ again: cycle })

/** All wrong arguments of a DHT's calls. */
const WRONG_CALLS: [call: string, name: string, message: RegExp, (dht: DHT) => Promise<unknown>][] =
  [
    [
      'an expiration in milliseconds',
      'InvalidExpirationError',
      /looks like milliseconds: divide by 1000/,
      (dht) => dht.store('key', 1, { expirationTime: Date.now() + 600_000 })
    ],
    [
      'an expiration that is too far',
      'InvalidExpirationError',
      /at most 2592000 are allowed/,
      (dht) => dht.store('key', 1, { ttl: 31 * 24 * 3600 })
    ],
    [
      'an expiration that is NaN',
      'InvalidExpirationError',
      /expirationTime NaN is not a timestamp/,
      (dht) => dht.store('key', 1, { expirationTime: Number.NaN })
    ],
    [
      'a ttl that is endless',
      'InvalidExpirationError',
      /ttl Infinity is not a duration/,
      (dht) => dht.store('key', 1, { ttl: Number.POSITIVE_INFINITY })
    ],
    [
      'an expiration that is a Date',
      'TypeError',
      /expirationTime must be a number of seconds/,
      (dht) => dht.store('key', 1, { expirationTime: new Date() as never })
    ],
    [
      'both expirationTime and ttl',
      'TypeError',
      /expirationTime .* or ttl .*, not both/,
      (dht) => dht.store('key', 1, { expirationTime: 5e9, ttl: 600 } as never)
    ],
    [
      'neither expirationTime nor ttl',
      'TypeError',
      /expirationTime .* or ttl .* is missing: give one, such as/,
      (dht) => dht.store('key', 1, {} as never)
    ],
    [
      'no options to store',
      'TypeError',
      /store needs options with an expirationTime or a ttl/,
      (dht) => dht.store('key', 1, undefined as never)
    ],
    [
      'a number for options',
      'TypeError',
      /the options of delete must be an object, got 600/,
      (dht) => dht.delete('key', 600 as never)
    ],
    [
      'a value that is undefined',
      'TypeError',
      /undefined/,
      (dht) => dht.store('key', undefined as never, { ttl: 600 })
    ],
    [
      'a function inside a value',
      'TypeError',
      /\bhow\b/,
      (dht) => dht.store('key', { how: () => {} } as never, { ttl: 600 })
    ],
    ['a cycle', 'TypeError', /itself/, (dht) => dht.store('key', cycle as never, { ttl: 600 })],
    [
      'a value that is too large',
      'RecordTooLargeError',
      /at most 262144/,
      (dht) => dht.store('key', new Uint8Array(300_000), { ttl: 600 })
    ],
    [
      'a key that is undefined',
      'TypeError',
      /key/,
      (dht) => dht.store(undefined as never, 1, { ttl: 600 })
    ],
    ['a key that is an object', 'TypeError', /key/, (dht) => dht.get({} as never)],
    [
      'a key that is too large',
      'InvalidKeyError',
      /at most 1024/,
      (dht) => dht.get('k'.repeat(2000))
    ],
    [
      'a subkey that is too large',
      'InvalidKeyError',
      /at most 256/,
      (dht) => dht.store('key', 1, { subkey: 's'.repeat(300), ttl: 600 })
    ],
    [
      'a subkey that is NaN',
      'TypeError',
      /subkey/,
      (dht) => dht.delete('key', { subkey: Number.NaN, ttl: 600 })
    ],
    [
      'one of many entries without a lifetime',
      'TypeError',
      /^entry 1: .* is missing/,
      (dht) =>
        dht.storeMany([
          { key: 1, value: 1, ttl: 5 },
          { key: 2, value: 2 }
        ])
    ],
    [
      'one of many values that can not be stored',
      'TypeError',
      /^entry 1: /,
      (dht) =>
        dht.storeMany(
          [
            { key: 1, value: 1 },
            { key: 2, value: Symbol('bee') as never }
          ],
          { ttl: 5 }
        )
    ],
    [
      'one of many keys that is none',
      'TypeError',
      /^entry 2: .*key/,
      (dht) => dht.getMany(['a', null, undefined as never])
    ],
    ['keys that are not many', 'TypeError', /keys/, (dht) => dht.getMany(5 as never)],
    ['keys that are one string', 'TypeError', /keys/, (dht) => dht.getMany('key')],
    ['keys that are one key', 'TypeError', /keys/, (dht) => dht.getMany(Uint8Array.of(1))],
    ['entries that are not many', 'TypeError', /entries/, (dht) => dht.storeMany({} as never)],
    [
      'a count of 0',
      'TypeError',
      /count .*got 0/,
      (dht) => dht.findNearestPeers('key', { count: 0 })
    ],
    [
      'half a peer',
      'TypeError',
      /count .*1.5/,
      (dht) => dht.findNearestPeers('key', { count: 1.5 })
    ],
    ['a timeout of 0', 'TypeError', /timeoutMs .*got 0/, (dht) => dht.get('key', { timeoutMs: 0 })],
    [
      'a timeout that is NaN',
      'TypeError',
      /timeoutMs .*got NaN/,
      (dht) => dht.store('key', 1, { ttl: 600, timeoutMs: Number.NaN })
    ]
  ]

/** One correct call of each kind. */
const CALLS: [call: string, (dht: DHT, options?: object) => Promise<unknown>][] = [
  ['store', (dht, options) => dht.store('key', 1, { ttl: 600, ...options })],
  ['get', (dht, options) => dht.get('key', options)],
  ['delete', (dht, options) => dht.delete('key', { ttl: 600, ...options })],
  ['storeMany', (dht, options) => dht.storeMany([{ key: 'key', value: 1, ttl: 600 }], options)],
  ['getMany', (dht, options) => dht.getMany(['key'], options)],
  ['findNearestPeers', (dht, options) => dht.findNearestPeers('key', options)]
]

describe('new DHT', () => {
  it('says how it is made', () => {
    const Class = DHT as unknown as new () => DHT
    expect(() => new Class()).toThrow(/use await DHT\.create\(…\) instead of new DHT/)
  })
})

describe('DHT', () => {
  let dht: DHT

  beforeEach(async () => {
    dht = await DHT.create()
  })

  afterEach(async () => {
    await dht.stop()
  })

  it.each(WRONG_CALLS)('refuses %s with %s (R11, R12, R14)', async (_, name, message, call) => {
    const error = await rejection(call(dht))

    expect(error.name).toBe(name)
    expect(error.message).toMatch(message)
    expect(dht.stats().records).toBe(0)
  })

  it.each(CALLS)('rejects %s with the reason of an aborted signal (N8a)', async (_, call) => {
    const reason = new Error('the caller has had enough')

    expect(await rejection(call(dht, { signal: AbortSignal.abort(reason) }))).toBe(reason)
    expect(dht.stats().records).toBe(0)
  })

  it.each(CALLS)('rejects %s with AbortError after stop', async (_, call) => {
    await dht.stop()

    expect(await rejection(call(dht))).toMatchObject({
      name: 'AbortError',
      message: 'the DHT was stopped'
    })
  })

  it.each(CALLS)('rejects %s with AbortError when it is pending at stop', async (_, call) => {
    const pending = rejection(call(dht))
    await dht.stop()

    expect(await pending).toMatchObject({
      name: 'AbortError',
      message: expect.stringMatching(
        /^the DHT was stopped while \w+ was in flight: await each call before stop/
      )
    })
  })
})

describe('DHT around a node that its owner stops', () => {
  it.each(CALLS)('rejects %s with AbortError', async (_, call) => {
    const libp2p: Libp2p<ServiceMap> = await libp2pNode({
      ...basicServices(),
      dht: waggleKadDHT(),
      waggle: waggle()
    })
    const dht = await DHT.create({ libp2p })
    await libp2p.stop()

    expect(await rejection(call(dht))).toMatchObject({ name: 'AbortError' })
  })
})
