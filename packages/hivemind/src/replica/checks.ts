import { MAX_CLOCK_SKEW } from '@waggle/record/replica'
import { bytesOf } from '../bytes/latin1.ts'
import { MalformedBytesError } from '../errors.ts'
import { assertKey } from '../keys/dht-id.ts'
import { kindOf } from '../keys/python-name.ts'
import { decodeValue } from '../msgpack/msgpack-reader.ts'
import type { HivemindWrite } from '../record/apply.ts'
import type { HivemindRecord, SubkeyText } from '../record/record.ts'
import type { HivemindLimits } from './limits.ts'
import { entryBytes } from './limits.ts'

/**
 * The reason why no replica should hold a write, independent of other entries; undefined if it is valid. Python
 * accepts infinite expirations.
 */
export function faultOf(
  { subkey, value, expirationTime }: HivemindWrite,
  limits: HivemindLimits,
  now: number
): string | undefined {
  if (!Number.isFinite(expirationTime) || expirationTime - now > limits.maxTtl + MAX_CLOCK_SKEW) {
    return `expires at ${expirationTime}, more than ${limits.maxTtl} s ahead`
  }

  if (value.length > limits.maxValueBytes) {
    return `has a value of ${value.length} bytes, at most ${limits.maxValueBytes} are allowed`
  }

  return subkey === undefined ? undefined : subkeyFault(subkey, limits)
}

function subkeyFault(subkey: SubkeyText, { maxSubkeyBytes }: HivemindLimits): string | undefined {
  if (subkey.length > maxSubkeyBytes) {
    return `has a subkey of ${subkey.length} bytes, at most ${maxSubkeyBytes} are allowed`
  }

  return faultIn(() => assertKey(decodeValue(bytesOf(subkey), { exactFloats: true }), 'subkey'))
}

/** The reason why Python could not read a value, not counting the part that validators appended. */
export function valueFault(value: Uint8Array): string | undefined {
  return faultIn(() => decodeValue(value))
}

function faultIn(read: () => void): string | undefined {
  try {
    read()
    return undefined
  } catch (error) {
    if (error instanceof MalformedBytesError || error instanceof TypeError) {
      return error.message
    }

    throw error
  }
}

/**
 * Whether a record can be held and read with this write in it: it is small enough, and Python can compare its
 * subkeys.
 */
export function isHoldable(
  record: HivemindRecord,
  write: HivemindWrite,
  limits: HivemindLimits
): boolean {
  const { subkey } = write

  if (subkey === undefined) {
    return true
  }

  let bytes = 0

  for (const [known, { value, expirationTime }] of record.subkeys) {
    bytes += entryBytes(known, value)

    if (expirationTime === write.expirationTime && !isComparable(known, subkey)) {
      return false
    }
  }

  return record.subkeys.size <= limits.maxSubkeys && bytes <= limits.maxRecordBytes
}

function isComparable(a: SubkeyText, b: SubkeyText): boolean {
  return a === b || kindOfText(a) === kindOfText(b)
}

function kindOfText(subkey: SubkeyText): string {
  return kindOf(decodeValue(bytesOf(subkey)))
}
