import {
  apply,
  checkRecord,
  type DHTRecord,
  decodeRecord,
  EMPTY_RECORD,
  encodeRecord,
  getDHTTime,
  isEmpty,
  join,
  parseRecordKey,
  plainRecord,
  recordKey,
  recordSelector,
  subkeyRecord,
  view
} from '@waggle/record'
import { decodeValue, encodedSize, encodeValue, prune } from '@waggle/record/replica'
import type { Target } from '../fuzzer.ts'
import { assertThat, isSame, unlessRefused } from './claims.ts'
import { bytesOf, CBOR, examples, strings, stringsInput, words } from './material.ts'

const NOW = 1_000

/** A time in 2096. The selector has a clock of its own, by which this has not expired. */
const MUCH_LATER = 4_000_000_000

const isRecords = (url: string): boolean => url.includes('/packages/record/src/')

/** Bytes as a record: one form, readable throughout, and accepted by all functions of records. */
const record: Target = {
  name: 'record',
  isWatched: isRecords,
  seeds: examples('record/test/fixtures/records.json'),
  words: CBOR,
  try(input) {
    const decoded = unlessRefused(() => decodeRecord(input), 'MalformedRecordError')
    unlessRefused(
      () => checkRecord(recordKey('key'), input, { now: NOW }),
      ...['MalformedRecordError', 'ValidationError', 'RecordTooLargeError']
    )

    if (decoded !== undefined) {
      assertOneForm(decoded, input)
      assertRules(decoded)
    }
  }
}

function assertOneForm(decoded: DHTRecord, input: Uint8Array): void {
  assertThat(isSame(encodeRecord(decoded), input), 'a record has another form')
  assertThat(encodedSize(decoded) === input.length, 'its size is counted wrong')

  for (const { value } of [decoded.plain ?? { value: undefined }, ...decoded.subkeys.values()]) {
    if (value !== undefined) {
      assertThat(isSame(encodeValue(decodeValue(value)), value), 'a value has another form')
    }
  }
}

function assertRules(decoded: DHTRecord): void {
  assertThat(join(decoded, decoded) === decoded, 'join is not idempotent')
  view(decoded, NOW)
  const applied = apply(EMPTY_RECORD, decoded, { now: NOW })
  assertThat(
    !applied.isAccepted || apply(applied.record, decoded, { now: NOW }).isAccepted,
    'a write is not accepted again'
  )
}

/** Bytes as the key of a record. */
const key: Target = {
  name: 'key',
  isWatched: isRecords,
  seeds: ['a', 0, null, [1, ['b']], new Uint8Array(3)].map((some) => recordKey(some)),
  words: [...words('/waggle/', '/'), ...CBOR],
  try(input) {
    const parsed = unlessRefused(() => parseRecordKey(input), 'InvalidKeyError')
    assertThat(parsed === undefined || isSame(recordKey(parsed), input), 'a key has another form')
  }
}

const SOME = [
  plainRecord('some', MUCH_LATER),
  plainRecord('other', MUCH_LATER),
  subkeyRecord('a', 1, MUCH_LATER),
  subkeyRecord('b', 2, MUCH_LATER),
  subkeyRecord('b', 2, MUCH_LATER + 1)
].map((some) => encodeRecord(some))

/**
 * Bytes as records of which the selector picks one: a live one if there is any, regardless of their order.
 */
const selection: Target = {
  name: 'selection',
  isWatched: isRecords,
  seeds: SOME.flatMap((some) => SOME.map((other) => stringsInput(some, other))),
  words: [...CBOR, bytesOf('1aee6b2800'), ...SOME],
  try(input) {
    const values = strings(input)
    const picked = pick(values)

    if (values.some(isLive)) {
      assertThat(isLive(picked), 'something else is picked than what is live')
      assertThat(isSame(picked, pick(values.toReversed())), 'another one is picked the other way')
    }
  }
}

function pick(values: Uint8Array[]): Uint8Array {
  const index = recordSelector(recordKey('key'), values)
  assertThat(index === 0 || values[index] !== undefined, 'something is picked that is not there')
  return values[index] ?? new Uint8Array()
}

function isLive(bytes: Uint8Array): boolean {
  const decoded = unlessRefused(() => decodeRecord(bytes), 'MalformedRecordError')
  return decoded !== undefined && !isEmpty(prune(decoded, getDHTTime()))
}

/** Readers of records and of their keys, and the selector. */
export const recordTargets: readonly Target[] = [record, key, selection]
