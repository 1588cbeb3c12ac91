import { inspect } from 'node:util'
import { type DHT, getDHTTime, type Key, type Value } from '@waggle/dht'
import { type Testnet, testnet } from '@waggle/dht/testnet'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { entriesOf } from '../support/found.ts'

const bytes = Uint8Array.of(0, 1, 0xff)

/** Names of different places, many of which look alike. */
const NAMES: readonly Key[] = [
  0,
  '',
  false,
  true,
  null,
  'abyrvalg',
  4555,
  -1.5,
  2n ** 53n,
  bytes,
  [],
  ['a', 1],
  '0',
  1,
  1n,
  '1',
  -1,
  0n,
  2 ** 53,
  1.5,
  'null',
  'false',
  '\ufeffabyrvalg',
  new TextEncoder().encode('abyrvalg'),
  new Uint8Array(),
  ['a', '1'],
  ['a', [1]],
  [['a'], 1],
  [[]],
  [null],
  Number.POSITIVE_INFINITY
]

const VALUES: readonly Value[] = [
  null,
  false,
  true,
  0,
  -0,
  1,
  -1,
  23,
  24,
  -24,
  -25,
  255,
  65_536,
  2 ** 32,
  Number.MAX_SAFE_INTEGER,
  Number.MIN_SAFE_INTEGER,
  2 ** 53,
  2 ** 60,
  2 ** 64,
  0.1,
  -1.5,
  1.1e300,
  -1.1e300,
  Number.MAX_VALUE,
  Number.MIN_VALUE,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  0n,
  1n,
  -1n,
  2n ** 53n,
  2n ** 64n - 1n,
  -(2n ** 63n),
  '',
  'i love bees',
  '\ufeffwith a byte order mark',
  'пчела 🐝 \u0000 \u2028',
  new Uint8Array(),
  bytes,
  new Uint8Array(100_000).fill(7),
  [],
  [1, 1n, '1', 1.5, [bytes, [null, []]]],
  {},
  { '': 0, deep: { deeper: [{ deepest: { n: -0, big: 5n, bytes } }] } },
  { toString: 1, constructor: 2, 0: 'zero', ключ: 'value' }
]

let net: Testnet
let writer: DHT
let reader: DHT

beforeAll(async () => {
  net = await testnet(2)
  ;[writer, reader] = net.nodes as [DHT, DHT]
})

afterAll(() => net?.stop())

describe('a key', () => {
  it('of each kind holds what was stored under it, and nothing else does (R11)', async () => {
    const entries = NAMES.map((key, i) => ({ key, value: `value ${i}` }))
    const isStored = await writer.storeMany(entries, { ttl: 600 })
    const found = await reader.getMany(NAMES, { latest: true })

    expect(isStored).toEqual(NAMES.map(() => true))
    expect(found.map((one) => one?.value)).toEqual(entries.map(({ value }) => value))
  })

  it('holds nothing where only one that looks alike was stored (R11)', async () => {
    await writer.store(['lonely', 0], 'here', { ttl: 600 })
    const alike = ['0', false, '', null, 0n, [0], new Uint8Array(1)].map((end) => ['lonely', end])

    expect(await reader.getMany(alike, { latest: true })).toEqual(alike.map(() => undefined))
    expect(await reader.get(['lonely', 0])).toMatchObject({ value: 'here' })
    expect(await reader.get(['lonely', -0])).toMatchObject({ value: 'here' })
  })
})

describe('a subkey', () => {
  it('of each kind has a place of its own in one dictionary, and comes back as it was (R11)', async () => {
    const expirationTime = getDHTTime() + 600
    const entries = NAMES.map((subkey, i) => ({ key: 'dictionary', subkey, value: i }))
    const isStored = await writer.storeMany(entries, { expirationTime })
    const shown = entriesOf(await reader.get('dictionary', { latest: true }))

    expect(isStored).toEqual(NAMES.map(() => true))
    expect(shown).toHaveLength(NAMES.length)

    for (const [i, subkey] of NAMES.entries()) {
      expect(shown).toContainEqual([subkey, { value: i, expirationTime }])
    }
  })
})

describe('a value', () => {
  it.each(VALUES.map((value, i) => ({ name: shown(value), value, i })))(
    '$name comes back equal (R11)',
    async ({ value, i }) => {
      const expirationTime = getDHTTime() + 600

      expect(await writer.store(['value', i], value, { expirationTime })).toBe(true)
      const found = await reader.get(['value', i], { latest: true })
      expect(found).toStrictEqual({ value, expirationTime })
    }
  )

  it.each(VALUES.map((value, i) => ({ name: shown(value), value, i })))(
    '$name comes back equal from a subkey (R11)',
    async ({ value, i }) => {
      const expirationTime = getDHTTime() + 600

      expect(await writer.store(['sub', i], value, { subkey: i, expirationTime })).toBe(true)
      const found = await reader.get(['sub', i], { latest: true })
      expect(found?.value).toStrictEqual(new Map([[i, { value, expirationTime }]]))
    }
  )

  it('that is an object comes back with its own properties only (R11)', async () => {
    const value = JSON.parse('{"__proto__": {"polluted": true}, "a": 1}')
    await writer.store('proto', value, { ttl: 600 })
    const found = (await reader.get('proto'))?.value as object

    expect(Object.getOwnPropertyNames(found).sort()).toEqual(['__proto__', 'a'])
    expect(Reflect.get({}, 'polluted')).toBeUndefined()
    expect(Object.getOwnPropertyDescriptor(found, '__proto__')?.value).toEqual({ polluted: true })
  })

  it('of the largest size travels, and a larger one is refused at the caller (R12)', async () => {
    const largest = new Uint8Array(256 * 1024 - 5)
    await expect(
      writer.store('too large', new Uint8Array(256 * 1024), { ttl: 600 })
    ).rejects.toMatchObject({ name: 'RecordTooLargeError' })

    expect(await writer.store('largest', largest, { ttl: 600 })).toBe(true)
    expect((await reader.get('largest', { latest: true }))?.value).toEqual(largest)
  })
})

/** Shows a value in the name of a test. */
function shown(value: Value): string {
  const text = inspect(value, { depth: 9, breakLength: Number.POSITIVE_INFINITY })
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}
