import fc from 'fast-check'
import { equals } from 'uint8arrays/equals'
import { describe, expect, it } from 'vitest'
import { decodeRecord, encodeRecord, MalformedRecordError } from '../../src/index.ts'
import { decodeValue, encodedSize, encodeValue } from '../../src/replica.ts'
import { anyRecord, CASES } from '../generators.ts'
import { writesOf } from '../model.ts'
import type { Fixtures } from '../notation.ts'
import { bytesOf } from '../notation.ts'
import { readFixtures } from '../read-fixtures.ts'

/** Numbers of inputs: valid bytes that were tampered with, and random bytes. */
const INPUTS = Math.min(100_000, 50 * CASES)
const TAMPERED = 0.7 * INPUTS

const { good } = readFixtures<Fixtures>('records.json')
const valid = [
  ...good.map(({ hex }) => bytesOf(hex)),
  ...fc.sample(anyRecord, { numRuns: 300, seed: 1 }).map((some) => encodeRecord(some))
]

/** Bytes that mean something in CBOR: short and long heads of every major type, and floats. */
const telling = fc.constantFrom(
  ...bytesOf('00 01 17 18 19 1a 1b 20 37 38 40 41 58 5f 60 61 78 7f 80 81 82 98 9b 9f a0 a1 a2'),
  ...bytesOf('b8 bb bf c2 c3 d8 db e0 f4 f5 f6 f7 f8 f9 fa fb ff')
)
const byte = fc.oneof(telling, fc.nat(255))
const position = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

type Tamper = (bytes: readonly number[]) => number[]

const tamper: fc.Arbitrary<Tamper> = fc.oneof(
  fc.tuple(position, byte).map(([at, byte]) => replacing(at, () => [byte])),
  fc.tuple(position, byte).map(([at, byte]) => replacing(at, (old) => [byte, old])),
  fc.tuple(position, fc.nat(7)).map(([at, bit]) => replacing(at, (old) => [old ^ (1 << bit)])),
  fc.tuple(position, fc.constantFrom(-1, 1)).map(([at, by]) => replacing(at, (old) => [old + by])),
  position.map((at) => replacing(at, () => [])),
  position.map(
    (at): Tamper =>
      (bytes) =>
        bytes.slice(0, Math.floor(at * bytes.length))
  ),
  fc.array(byte, { minLength: 1, maxLength: 4 }).map(
    (more): Tamper =>
      (bytes) => [...bytes, ...more]
  ),
  fc.tuple(position, position, position).map(([from, to, at]) => copying(from, to, at))
)

const tampered = fc
  .tuple(fc.constantFrom(...valid), fc.array(tamper, { minLength: 1, maxLength: 3 }))
  .map(([bytes, tampers]) =>
    Uint8Array.from(tampers.reduce<number[]>((held, change) => change(held), [...bytes]))
  )

/** Bytes that are random from the start, or where a value, an entry, a subkey or an expiration belongs. */
const random = fc
  .tuple(
    fc.constantFrom(
      '',
      '01',
      '01a100',
      '01a100a2000a01',
      '01a101a1',
      '01a1016161a2000a01',
      '01a100a100'
    ),
    fc.array(byte, { maxLength: 24 })
  )
  .map(([start, rest]) => Uint8Array.from([...bytesOf(start), ...rest]))

describe('decodeRecord', () => {
  it.each([
    ['valid bytes that were tampered with', tampered, TAMPERED],
    ['bytes at random', random, INPUTS - TAMPERED]
  ])('makes of %s a canonical record or a MalformedRecordError (R10)', (_, inputs, numRuns) => {
    const seen = { record: 0, malformed: 0 }

    fc.assert(
      fc.property(inputs, (bytes) => {
        seen[verdict(bytes)] += 1
      }),
      { numRuns }
    )

    expect(seen.record + seen.malformed).toBe(numRuns)
    // Of bytes at random, one in 130 is a record. A browser tests few: by chance, it may see half as many.
    expect(seen.record).toBeGreaterThan(numRuns / 1000)
    expect(seen.malformed).toBeGreaterThan(numRuns / 4)
  })
})

/** Fails unless the record gives exactly these bytes again and all of it can be read. */
function verdict(bytes: Uint8Array): 'record' | 'malformed' {
  const record = readOrRefuse(bytes)

  if (record === undefined) {
    return 'malformed'
  }

  const isSame = equals(encodeRecord(record), bytes)
  const isCounted = encodedSize(record) === bytes.length
  const isReadable = writesOf(record).every(
    ({ entry: { value } }) => value === undefined || equals(encodeValue(decodeValue(value)), value)
  )

  if (!(isSame && isCounted && isReadable)) {
    throw new Error(JSON.stringify({ isSame, isCounted, isReadable }))
  }

  return 'record'
}

function readOrRefuse(bytes: Uint8Array): ReturnType<typeof decodeRecord> | undefined {
  try {
    return decodeRecord(bytes)
  } catch (error) {
    if (error instanceof MalformedRecordError && error.name === 'MalformedRecordError') {
      return undefined
    }

    throw error
  }
}

function replacing(at: number, change: (old: number) => number[]): Tamper {
  return (bytes) => {
    const i = Math.floor(at * bytes.length)
    return [...bytes.slice(0, i), ...change(bytes[i] ?? 0), ...bytes.slice(i + 1)]
  }
}

function copying(from: number, to: number, at: number): Tamper {
  return (bytes) => {
    const [start, end, target] = [from, to, at].map((part) => Math.floor(part * bytes.length))
    return [...bytes.slice(0, target), ...bytes.slice(start, end), ...bytes.slice(target)]
  }
}
