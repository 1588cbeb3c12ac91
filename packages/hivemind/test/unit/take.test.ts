import { describe, expect, it } from 'vitest'
import { textOf } from '../../src/bytes/latin1.ts'
import { encodeValue } from '../../src/msgpack/msgpack-writer.ts'
import { tuple } from '../../src/msgpack/python-types.ts'
import { encodeDictionary } from '../../src/record/dictionary.ts'
import { EMPTY_RECORD, type HivemindRecord } from '../../src/record/record.ts'
import type { HivemindWrite } from '../../src/record/write.ts'
import { faultOf } from '../../src/replica/checks.ts'
import { DEFAULT_HIVEMIND_LIMITS } from '../../src/replica/limits.ts'
import { foundBytes, writesOf } from '../../src/replica/store-item.ts'
import { takeAll } from '../../src/replica/take.ts'
import { bytesOfHex, hexOf } from '../support/hex.ts'
import { type Moment, type ReplicaVector, vectors } from '../support/vectors.ts'

const NOW = 1_700_000_000
const limits = { ...DEFAULT_HIVEMIND_LIMITS, maxTtl: 4_000_000_000 }

/** Differences from Python that are improvements. Where Python fails, ours answers false. */
const BETTER: Readonly<Record<string, Partial<ReplicaVector>>> = {
  'whole dictionary stops at the first that is refused': {
    found: {
      type: 2,
      value:
        'c7395093cb7ff0000000000000cb41edcd6500a000009293a161c405a468656c64cb41edcd6500a0000093a162c404a36e6577cb41edcd6500000000',
      expiration: 4_000_000_005
    }
  },
  'whole dictionary over plain': {
    found: {
      type: 2,
      value: 'c7235093cb7ff0000000000000cb41edcd65002000009193a162c40102cb41edcd6500200000',
      expiration: 4_000_000_001
    }
  },
  'NaN expiration': { answers: [false], found: { type: 0, value: '', expiration: 0 } }
}

function momentOf(moment: Moment): number {
  return Number(moment)
}

/** Takes in one write, as a replica takes in one item of a request. */
function taken(
  held: HivemindRecord,
  [subkey, value, expiration]: ReplicaVector['writes'][number]
): { isAccepted: boolean; record: HivemindRecord } {
  try {
    const writes = writesOf({
      key: new Uint8Array(20),
      subkey: bytesOfHex(subkey),
      value: bytesOfHex(value),
      expirationTime: momentOf(expiration),
      isInCache: false
    })
    const isSound = writes.every((write) => faultOf(write, limits, NOW) === undefined)
    return isSound
      ? takeAll(held, writes, { limits, now: NOW })
      : { isAccepted: false, record: held }
  } catch {
    return { isAccepted: false, record: held }
  }
}

describe('takeAll', () => {
  it.each(Object.entries(vectors.offline.replica))('does as Python: %s', (name, vector) => {
    const { writes, answers, found } = { ...vector, ...BETTER[name] }
    let record = EMPTY_RECORD
    const given = writes.map((write) => {
      const { isAccepted, record: next } = taken(record, write)
      record = next
      return isAccepted
    })

    expect(given).toEqual(answers.map((answer) => answer === true))
    const shown = foundBytes(record)
    expect({
      type: shown === undefined ? 0 : shown.isDictionary ? 2 : 1,
      value: hexOf(shown?.value ?? new Uint8Array()),
      expiration: shown?.expirationTime ?? 0
    }).toEqual(found)
  })

  it('refuses what would make a record larger than the limit', () => {
    const write = { subkey: '\xa1a', value: new Uint8Array(100), expirationTime: NOW + 1 }
    const small = { ...limits, maxRecordBytes: 100 }
    expect(takeAll(EMPTY_RECORD, [write], { limits: small, now: NOW }).isAccepted).toBe(false)
  })

  it('refuses one subkey more than the limit, and not a new value of one', () => {
    const options = { limits: { ...limits, maxSubkeys: 1 }, now: NOW }
    const write = { subkey: '\xa1a', value: Uint8Array.of(1), expirationTime: NOW + 1 }
    const { record } = takeAll(EMPTY_RECORD, [write], options)

    expect(takeAll(record, [{ ...write, subkey: '\xa1b' }], options).isAccepted).toBe(false)
    expect(takeAll(record, [{ ...write, expirationTime: NOW + 2 }], options).isAccepted).toBe(true)
  })

  it('keeps the first of the forms that are equal in Python, whenever they come', () => {
    const write = (subkey: string, expirationTime: number): HivemindWrite => ({
      ...{ subkey, expirationTime, value: Uint8Array.of(1) }
    })
    const options = { limits, now: NOW }
    const { record } = takeAll(
      EMPTY_RECORD,
      [write('\x01', NOW + 1), write('\xc3', NOW + 2)],
      options
    )
    const later = takeAll(record, [write('\xcc\x01', NOW + 3)], options)

    expect([...later.record.subkeys]).toEqual([
      ['\x01', { value: Uint8Array.of(1), expirationTime: NOW + 3 }]
    ])
  })

  it('takes subkeys that Python cannot compare, if they expire at different moments', () => {
    const write = (subkey: string, expirationTime: number): HivemindWrite => ({
      ...{ subkey, expirationTime, value: Uint8Array.of(1) }
    })
    const options = { limits, now: NOW }
    const first = [write('\xa1a', NOW + 1), write('\x01', NOW + 2), write('\xa1b', NOW + 1)]
    const { isAccepted, record } = takeAll(EMPTY_RECORD, first, options)
    expect(isAccepted).toBe(true)
    expect(takeAll(record, [write('\x02', NOW + 1)], options).isAccepted).toBe(false)

    const moved = takeAll(record, [write('\xa1a', NOW + 3), write('\xa1b', NOW + 3)], options)
    expect(takeAll(moved.record, [write('\x02', NOW + 1)], options).isAccepted).toBe(true)
  })

  it('takes the first of the entries of a dictionary that has too many', () => {
    const entry = { value: Uint8Array.of(1), expirationTime: NOW + 1 }
    const many = Array.from({ length: 10 }, (_, i) => [`\xa1${i}`, entry] as const)
    const item = { key: new Uint8Array(20), subkey: new Uint8Array(0), isInCache: false }
    const value = encodeDictionary(new Map(many))
    const writes = writesOf({ ...item, value, expirationTime: NOW + 1 }, 4)
    const options = { limits: { ...limits, maxSubkeys: 4 }, now: NOW }

    const { isAccepted, record } = takeAll(EMPTY_RECORD, writes, options)
    expect(isAccepted).toBe(false)
    expect([...record.subkeys.keys()]).toEqual(['\xa10', '\xa11', '\xa12', '\xa13'])
  })

  it('refuses what has expired', () => {
    const write = { subkey: undefined, value: Uint8Array.of(1), expirationTime: NOW }
    expect(takeAll(EMPTY_RECORD, [write], { limits, now: NOW }).isAccepted).toBe(false)
  })
})

describe('faultOf', () => {
  const write = { subkey: '\xa1a', value: Uint8Array.of(1), expirationTime: NOW + 60 }

  it('finds nothing wrong with a usual write', () => {
    expect(faultOf(write, limits, NOW)).toBeUndefined()
    expect(faultOf({ ...write, subkey: undefined }, limits, NOW)).toBeUndefined()
  })

  it.each([
    [
      'a tuple of very many parts',
      { subkey: textOf(encodeValue(tuple(tuple(...new Array(65).fill(0))))) }
    ],
    ['an endless expiration', { expirationTime: Number.POSITIVE_INFINITY }],
    ['an expiration that is no number', { expirationTime: Number.NaN }],
    ['a far expiration', { expirationTime: 1e300 }],
    ['null as a subkey', { subkey: '\xc0' }],
    ['a list as a subkey', { subkey: '\x90' }],
    ['a subkey that is not MessagePack', { subkey: '\xc1' }],
    ['a long subkey', { subkey: `\xda\xff\xff${'a'.repeat(65_535)}` }],
    ['a large value', { value: new Uint8Array(limits.maxValueBytes + 1) }]
  ])('finds %s', (_, wrong) => {
    expect(faultOf({ ...write, ...wrong }, limits, NOW)).toEqual(expect.any(String))
  })
})
