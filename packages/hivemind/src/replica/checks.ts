import { MAX_CLOCK_SKEW } from '@waggle/record/replica'
import { bytesOf } from '../bytes/latin1.ts'
import { MalformedBytesError } from '../errors.ts'
import { assertKey } from '../keys/dht-id.ts'
import { decodeValue } from '../msgpack/msgpack-reader.ts'
import { type HivemindKey, type HivemindValue, Tuple } from '../msgpack/python-types.ts'
import type { SubkeyText } from '../record/record.ts'
import type { HivemindWrite } from '../record/write.ts'
import type { HivemindLimits } from './limits.ts'

/** Values in a subkey that is a tuple, those of tuples in it included. */
const MAX_SUBKEY_PARTS = 64

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

  return faultIn(() => {
    const key = decodeValue(bytesOf(subkey), { exactFloats: true })
    assertKey(key, 'subkey')
    assertFewParts(key)
  })
}

/** Checks that a subkey can be compared quickly with others. */
function assertFewParts(key: HivemindKey): void {
  if (partsOf(key) > MAX_SUBKEY_PARTS) {
    throw new TypeError(`a subkey is a tuple of more than ${MAX_SUBKEY_PARTS} parts`)
  }
}

function partsOf(value: HivemindValue): number {
  return value instanceof Tuple ? value.reduce<number>((sum, part) => sum + partsOf(part), 0) : 1
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
