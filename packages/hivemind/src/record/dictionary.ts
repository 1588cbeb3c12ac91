import { bytesOf, textOf } from '../bytes/latin1.ts'
import { MalformedBytesError } from '../errors.ts'
import { DICTIONARY_TYPE } from '../msgpack/limits.ts'
import { MsgpackReader } from '../msgpack/msgpack-reader.ts'
import { MsgpackWriter } from '../msgpack/msgpack-writer.ts'
import type { HivemindEntry, HivemindRecord, SubkeyText } from './record.ts'
import { latestExpiration } from './record.ts'

/*
 * dictionary = extension 0x50 of [size limit, latest expiration, [[subkey, bytes of the value, expiration] …]]
 *
 * Python encodes a missing size limit as infinity. Value and subkey are kept as received: another
 * encoding of the same subkey would invalidate its signature.
 */

/** Items of an entry, and of the whole dictionary. */
const PARTS = 3

/** Encodes a dictionary as Python's replicas do. */
export function encodeDictionary(subkeys: HivemindRecord['subkeys']): Uint8Array {
  const to = new MsgpackWriter()
  to.arrayHead(PARTS)
  to.float(Number.POSITIVE_INFINITY)
  to.float(latestExpiration({ subkeys }))
  to.arrayHead(subkeys.size)

  for (const [subkey, { value, expirationTime }] of subkeys) {
    to.arrayHead(PARTS)
    to.written(bytesOf(subkey))
    to.bin(value)
    to.float(expirationTime)
  }

  const whole = new MsgpackWriter()
  whole.extension(DICTIONARY_TYPE, to.finish())
  return whole.finish()
}

/**
 * Reads the entries of a dictionary in their order: the first ones, if it has more than `maxEntries`. A subkey may
 * occur twice.
 *
 * @throws MalformedBytesError
 */
export function decodeDictionary(
  bytes: Uint8Array,
  maxEntries: number = Number.POSITIVE_INFINITY
): (readonly [SubkeyText, HivemindEntry])[] {
  const outer = new MsgpackReader(bytes)
  const data = outer.extension(DICTIONARY_TYPE)
  outer.assertEnd()
  const from = new MsgpackReader(data)
  assertParts(from.arrayHead())
  from.value()
  from.value()
  const count = from.arrayHead()
  const entries: (readonly [SubkeyText, HivemindEntry])[] = []

  for (let i = 0; i < count; i++) {
    if (i === maxEntries) {
      return entries
    }

    entries.push(entryFrom(from, data))
  }

  from.assertEnd()
  return entries
}

function entryFrom(from: MsgpackReader, data: Uint8Array): readonly [SubkeyText, HivemindEntry] {
  assertParts(from.arrayHead())
  const start = from.position
  from.value()
  const subkey = textOf(data.subarray(start, from.position))
  const value = from.value()
  const expirationTime = from.value()

  if (!(value instanceof Uint8Array) || typeof expirationTime !== 'number') {
    throw new MalformedBytesError('an entry of a dictionary is not a subkey, bytes and a number')
  }

  return [subkey, { value, expirationTime }]
}

function assertParts(count: number): void {
  if (count !== PARTS) {
    throw new MalformedBytesError(`a dictionary has ${count} parts in one place, not ${PARTS}`)
  }
}
