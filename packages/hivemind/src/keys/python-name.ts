import { textOf } from '../bytes/latin1.ts'
import { decodeValue } from '../msgpack/msgpack-reader.ts'
import { encodeValue } from '../msgpack/msgpack-writer.ts'
import { Float, type HivemindValue, Tuple, tupleOf } from '../msgpack/python-types.ts'

/**
 * Names a subkey as Python compares it: `0`, `0.0` and `False` have one name, as have `(1,)` and
 * `(True,)`.
 *
 * @throws MalformedBytesError for what is not a subkey's MessagePack
 */
export function pythonName(subkey: Uint8Array): string {
  return textOf(encodeValue(compared(decodeValue(subkey, { exactFloats: true }))))
}

function compared(value: HivemindValue): HivemindValue {
  if (typeof value === 'boolean') {
    return Number(value)
  }

  if (value instanceof Float) {
    return comparedFloat(value)
  }

  return value instanceof Tuple ? tupleOf(value.map(compared)) : value
}

/** A float is equal to an int of the same value, however large. */
function comparedFloat(float: Float): HivemindValue {
  const { value } = float

  if (!Number.isInteger(value) || value >= 2 ** 64 || value < -(2 ** 63)) {
    return float
  }

  return Number.isSafeInteger(value) ? Number(value) + 0 : BigInt(value)
}

/**
 * Python puts entries of a dictionary that expire at the same moment in the order of their subkeys,
 * and fails where it cannot compare them: a string with a number, say. Subkeys of equal kinds can
 * be compared.
 */
export function kindOf(subkey: HivemindValue): string {
  if (subkey instanceof Tuple) {
    return `(${subkey.map(kindOf).join()})`
  }

  if (subkey instanceof Uint8Array) {
    return 'bytes'
  }

  return typeof subkey === 'string' ? 'str' : subkey === null ? 'None' : 'number'
}
