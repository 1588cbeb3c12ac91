import { describe, expect, it } from 'vitest'
import { textOf } from '../../src/bytes/latin1.ts'
import { receivedRecord } from '../../src/lookup/received.ts'
import { encodeValue } from '../../src/msgpack/msgpack-writer.ts'
import { lacking } from '../../src/reading/lacking.ts'
import { view } from '../../src/reading/view.ts'
import { encodeDictionary } from '../../src/record/dictionary.ts'
import { EMPTY_RECORD, type HivemindEntry, recordOf } from '../../src/record/record.ts'
import { DEFAULT_HIVEMIND_LIMITS } from '../../src/replica/limits.ts'
import { Validation } from '../../src/replica/validation.ts'

const NOW = 1_700_000_000
const validation = new Validation({
  limits: DEFAULT_HIVEMIND_LIMITS,
  validators: [],
  clock: () => NOW
})
const key = new Uint8Array(20)

function entry(value: unknown, expirationTime = NOW + 60): HivemindEntry {
  return { value: encodeValue(value), expirationTime }
}

/** An integer in two bytes, big end first. */
function twoBytes(i: number): Uint8Array {
  return Uint8Array.of(i >> 8, i)
}

async function received(subkeys: readonly (readonly [string, HivemindEntry])[]): Promise<string[]> {
  const found = {
    isDictionary: true,
    value: encodeDictionary(new Map(subkeys)),
    expirationTime: NOW + 60
  }
  const record = await receivedRecord(key, found, { validation, now: NOW })
  return [...record.subkeys.keys()]
}

describe('receivedRecord', () => {
  it('leaves out what would make a Python reader hang or raise, and keeps the rest', async () => {
    const bad: readonly (readonly [string, HivemindEntry])[] = [
      ['\xa1a', { ...entry(1), value: Uint8Array.of(1, 2) }],
      ['\xa1b', { ...entry(1), value: Uint8Array.of(0x81, 1, 2) }],
      ['\xa1c', entry(1, Number.NaN)],
      ['\xa1d', entry(1, Number.POSITIVE_INFINITY)],
      ['\xa1e', entry(1, 1e300)],
      ['\xa1f', entry(1, NOW)],
      ['\xc0', entry(1)],
      ['\x90', entry(1)]
    ]
    expect(await received([...bad, ['\xa1z', entry(1)]])).toEqual(['\xa1z'])
  })

  it('takes the first of very many entries', async () => {
    const many = Array.from(
      { length: 20_000 },
      (_, i) => [`\xcd${textOf(twoBytes(i))}`, entry(i)] as const
    )
    expect(await received(many)).toHaveLength(16_384)
  })

  it('takes nothing of what is no dictionary', async () => {
    const found = { isDictionary: true, value: Uint8Array.of(1), expirationTime: NOW + 60 }
    expect(await receivedRecord(key, found, { validation, now: NOW })).toEqual(EMPTY_RECORD)
  })

  it('takes nothing of a plain value that cannot be read', async () => {
    const found = { isDictionary: false, value: Uint8Array.of(0xc1), expirationTime: NOW + 60 }
    expect(await receivedRecord(key, found, { validation, now: NOW })).toEqual(EMPTY_RECORD)
  })
})

describe('view', () => {
  it('shows the later of two names of one subkey', () => {
    const record = recordOf(
      undefined,
      new Map([
        ['\x01', entry('int', NOW + 2)],
        ['\xcb\x3f\xf0\0\0\0\0\0\0', entry('float', NOW + 1)]
      ])
    )
    expect(view(record, NOW, {})?.value).toEqual(
      new Map([[1, { value: 'int', expirationTime: NOW + 2 }]])
    )
  })

  it('shows a plain value when all subkeys have expired', () => {
    const record = {
      ...recordOf(entry('x', NOW + 9)),
      subkeys: new Map([['\xa1a', entry(1, NOW)]])
    }
    expect(view(record, NOW, {})).toEqual({
      isDictionary: false,
      value: 'x',
      expirationTime: NOW + 9
    })
  })
})

describe('lacking', () => {
  const both = recordOf(
    undefined,
    new Map([
      ['\xa1a', entry(1)],
      ['\xa1b', entry(2)]
    ])
  )

  it('is what a replica has not', () => {
    const held = recordOf(undefined, new Map([['\xa1a', entry(1)]]))
    expect([...lacking(held, both).subkeys.keys()]).toEqual(['\xa1b'])
  })

  it('leaves out ties, which a replica would refuse', () => {
    const held = recordOf(
      undefined,
      new Map([
        ['\xa1a', entry(9)],
        ['\xa1b', entry(9)]
      ])
    )
    expect(lacking(held, both).subkeys.size).toBe(0)
    expect(lacking(recordOf(entry(9)), both).subkeys.size).toBe(0)
    expect(lacking(recordOf(entry(9)), recordOf(entry(1))).plain).toBeUndefined()
  })
})
