import { describe, expect, it } from 'vitest'
import { type Key, plainRecord, recordKey, subkeyRecord, type Value } from '../../src/index.ts'
import { encodeValue, subkeyId } from '../../src/replica.ts'

class Bee {
  name = 'maja'
}

const cycle: unknown[] = [1]
cycle.push({ back: cycle })

const knot: { self?: unknown } = {}
knot.self = knot

const sparse = [1, 2, 3]
delete sparse[1]

const tooDeep = Array.from({ length: 300 }).reduce<unknown>((inside) => [inside], 0)

/** Values that can't be stored, and the message after the path. */
const unstorable: [string, unknown, RegExp][] = [
  ['undefined', undefined, /^ is undefined:/],
  ['NaN', Number.NaN, /^ is NaN:/],
  ['a function', () => 1, /^ is a function:/],
  ['a class', Bee, /^ is a function:/],
  ['a symbol', Symbol('bee'), /^ is a symbol:/],
  ['a class instance', new Bee(), /^ is a Bee:/],
  ['an object that inherits', Object.create({ a: 1 }), /^ is an Object:/],
  ['a Map', new Map([['a', 1]]), /^ is a Map:/],
  ['a Set', new Set([1]), /^ is a Set:/],
  ['a Date', new Date(0), /^ is a Date:/],
  ['a RegExp', /a/, /^ is a RegExp:/],
  ['an Error', new Error('a'), /^ is an Error:/],
  ['a Promise', Promise.resolve(1), /^ is a Promise:/],
  ['a boxed number', Object(1), /^ is a Number:/],
  ['an ArrayBuffer', new ArrayBuffer(1), /^ is an ArrayBuffer:/],
  ['a DataView', new DataView(new ArrayBuffer(1)), /^ is a DataView:/],
  ['an Int8Array', Int8Array.of(1), /^ is an Int8Array:/],
  ['a Uint8ClampedArray', Uint8ClampedArray.of(1), /^ is a Uint8ClampedArray:/],
  ['a Uint16Array', Uint16Array.of(1), /^ is a Uint16Array:/],
  ['a Float64Array', Float64Array.of(1), /^ is a Float64Array:/],
  ['a BigInt64Array', BigInt64Array.of(1n), /^ is a BigInt64Array:/],
  ['an object with a symbol', { [Symbol('bee')]: 1 }, /^ has a symbol as a property:/],
  ['half a surrogate pair', 'a\ud83d', /^ is a string with half a surrogate pair:/],
  ['the other half', '\ude00a', /^ is a string with half a surrogate pair:/],
  [
    'a bigint below 64 bits',
    -(2n ** 63n) - 1n,
    /^ is -9223372036854775809, which does not fit 64 bits/
  ],
  ['a bigint beyond 64 bits', 2n ** 64n, /^ is 18446744073709551616, which does not fit 64 bits/]
]

/** Values with the fault further inside. */
const unstorableInside: [string, unknown, RegExp][] = [
  ['a sparse array', sparse, /^\[1\] is undefined:/],
  ['an array that contains itself', cycle, /^\[1\]\.back contains itself:/],
  ['an object that contains itself', knot, /^\.self contains itself:/],
  ['a half in a property name', { '\ud83d': 1 }, /^\["\\ud83d"\] has half a surrogate pair in its/],
  ['what is nested too deep', tooDeep, /^(\[0\]){256} is nested deeper than 256/]
]

/** Expects a message that begins with the path and lists the supported types. */
function expectRefusal(store: () => unknown, path: string, fault: RegExp): void {
  let error: unknown

  try {
    store()
  } catch (thrown) {
    error = thrown
  }

  expect(error).toBeInstanceOf(TypeError)
  const { message } = error as TypeError
  expect(message.slice(0, path.length)).toBe(path)
  expect(message.slice(path.length)).toMatch(fault)
  expect(message).toMatch(/can be (?:stored|keys|subkeys)$/)
}

describe('encodeValue', () => {
  it.each([...unstorable, ...unstorableInside])(
    'refuses %s, by the path to it (R11)',
    (_, thing, fault) => {
      expectRefusal(() => encodeValue(thing as Value), 'value', fault)
    }
  )

  it('names the path through arrays and objects (R11)', () => {
    const inside = (thing: unknown) =>
      ({ list: [0, { $a_1: thing }], 'not a name': 1 }) as unknown as Value

    expectRefusal(
      () => encodeValue(inside([undefined])),
      'value.list[1].$a_1[0]',
      /^ is undefined:/
    )
    expectRefusal(
      () => encodeValue({ 'a "b"': { '': [new Map()] } } as unknown as Value),
      'value["a \\"b\\""][""][0]',
      /^ is a Map:/
    )
  })

  it('stores the same object twice, if not inside itself (R11)', () => {
    const shared = { a: [1] }

    expect(encodeValue([shared, shared])).toStrictEqual(encodeValue([{ a: [1] }, { a: [1] }]))
  })
})

describe('plainRecord and subkeyRecord', () => {
  it('refuse values as encodeValue does (R11)', () => {
    const thing = { a: new Set() } as unknown as Value

    expectRefusal(() => plainRecord(thing, 5), 'value.a', /^ is a Set:/)
    expectRefusal(() => subkeyRecord('s', thing, 5), 'value.a', /^ is a Set:/)
  })
})

describe.each<[string, 'key' | 'subkey', (key: Key) => unknown]>([
  ['recordKey', 'key', recordKey],
  ['subkeyId', 'subkey', subkeyId],
  ['subkeyRecord', 'subkey', (key) => subkeyRecord(key, 1, 5)]
])('%s', (_, what, make) => {
  it.each(unstorable)('refuses %s, by the path to it (R11)', (_, thing, fault) => {
    expectRefusal(() => make([7, thing] as Key), `${what}[1]`, fault)
  })

  it('refuses arrays that are sparse, nested too deep or inside themselves (R11)', () => {
    const ring: unknown[] = [[]]
    ring.push(ring)

    expectRefusal(() => make(sparse as Key), what, /^\[1\] is undefined:/)
    expectRefusal(() => make(tooDeep as Key), what, /^(\[0\]){256} is nested deeper than 256/)
    expectRefusal(() => make(ring as unknown as Key), what, /^\[1\] contains itself:/)
  })

  it('refuses objects, alone and in arrays (R11)', () => {
    const fault = /^ is an object, which only values can be: .* and arrays can be (?:sub)?keys$/

    expectRefusal(() => make({} as Key), what, fault)
    expectRefusal(() => make(['a', [{ b: 1 }]] as unknown as Key), `${what}[1][0]`, fault)
    expectRefusal(() => make(Object.create(null)), what, fault)
  })
})
