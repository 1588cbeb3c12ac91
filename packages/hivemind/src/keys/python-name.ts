import { textOf } from '../bytes/latin1.ts'
import { decodeValue } from '../msgpack/msgpack-reader.ts'
import { encodeValue } from '../msgpack/msgpack-writer.ts'
import { Float, type HivemindValue, Tuple, tupleOf } from '../msgpack/python-types.ts'

/**
 * Returns a name by which subkeys compare as in Python: `0`, `0.0` and `False` have one name, as have `(1,)` and
 * `(True,)`.
 *
 * @throws MalformedBytesError for bytes that are not a subkey's MessagePack
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

/** Returns the int that equals a float, if there is one, however large. */
function comparedFloat(float: Float): HivemindValue {
  const { value } = float

  if (!Number.isInteger(value) || value >= 2 ** 64 || value < -(2 ** 63)) {
    return float
  }

  return Number.isSafeInteger(value) ? Number(value) + 0 : BigInt(value)
}

/**
 * The kind of a subkey. Python sorts entries of a dictionary that expire at the same moment by their subkeys, and
 * fails on kinds it cannot compare, such as a string and a number. Subkeys of equal kinds can be compared.
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
