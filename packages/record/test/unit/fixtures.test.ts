import { describe, expect, it } from 'vitest'
import {
  decodeRecord,
  type Entry,
  encodeRecord,
  MalformedRecordError,
  parseRecordKey,
  recordKey
} from '../../src/index.ts'
import { decodeValue, encodedSize, parseSubkeyId } from '../../src/replica.ts'
import type { DescribedEntry, Fixtures } from '../notation.ts'
import { bytesOf, describedKey, describedRecord, describedValue } from '../notation.ts'
import { readFixtures } from '../read-fixtures.ts'
import { isSameValue } from '../same-value.ts'

/*
 * Bytes that peers have stored must be read for ever. These were written down by hand, not by this
 * library: a change that fails here is a change of the format and needs another RECORD_VERSION.
 */

const { good, bad, keys } = readFixtures<Fixtures>('records.json')

describe('the frozen fixtures', () => {
  it('are all there, each with a name of its own (R10)', () => {
    const names = [...good, ...bad].map(({ name }) => name)

    expect(new Set(names).size).toBe(names.length)
    expect([good.length, bad.length, keys.length]).toEqual([39, 163, 22])
  })
})

describe('decodeRecord', () => {
  it.each(named(good))('reads %s (R10)', (_, { hex, record: { plain, subkeys = [] } }) => {
    const record = decodeRecord(bytesOf(hex))

    expectEntry(record.plain, plain)
    expect([...record.subkeys.keys()].map(parseSubkeyId)).toStrictEqual(
      subkeys.map(([subkey]) => describedKey(subkey))
    )
    for (const [i, entry] of [...record.subkeys.values()].entries()) {
      expectEntry(entry, subkeys[i]?.[1])
    }
  })

  it.each(named(bad))('refuses %s (R10)', (_, { hex, reason }) => {
    expect(() => decodeRecord(bytesOf(hex))).toThrow(MalformedRecordError)
    expect(() => decodeRecord(bytesOf(hex))).toThrow(new RegExp(reason))
  })
})

describe('encodeRecord', () => {
  it.each(named(good))('writes %s (R10)', (_, { hex, record }) => {
    const bytes = bytesOf(hex)

    expect(encodeRecord(describedRecord(record))).toStrictEqual(bytes)
    expect(encodeRecord(decodeRecord(bytes))).toStrictEqual(bytes)
    expect(encodedSize(describedRecord(record))).toBe(bytes.length)
  })
})

describe('recordKey', () => {
  it.each(keys)('writes and reads the key $key (R10, R11, N1)', ({ key, hex }) => {
    expect(recordKey(describedKey(key))).toStrictEqual(bytesOf(hex))
    expect(parseRecordKey(bytesOf(hex))).toStrictEqual(describedKey(key))
  })
})

function named<T extends { name: string }>(fixtures: T[]): [string, T][] {
  return fixtures.map((fixture) => [fixture.name, fixture])
}

function expectEntry(entry: Entry | undefined, described: DescribedEntry | undefined): void {
  expect(entry?.expirationTime).toBe(described?.expirationTime)
  expect(entry?.signature?.every((byte) => byte === bytesOf(described?.signature ?? '')[0])).toBe(
    described?.signature === undefined ? undefined : true
  )
  expect(entry !== undefined && 'value' in entry).toBe(
    described !== undefined && 'value' in described
  )

  if (entry?.value !== undefined) {
    expect(isSameValue(decodeValue(entry.value), describedValue(described?.value))).toBe(true)
  }
}
