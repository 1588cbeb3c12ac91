import { randomBytes } from '@libp2p/crypto'
import { encodeValue } from '../msgpack/msgpack-writer.ts'
import type { HivemindKey } from '../msgpack/python-types.ts'
import { Float, Tuple } from '../msgpack/python-types.ts'
import { sha1 } from './sha1.ts'

/** A point of Hivemind's key space: a 160-bit number, big end first. */
export type DHTId = Uint8Array

/** Bytes of a {@link DHTId}. */
export const ID_BYTES = 20

/**
 * The position of a key: SHA-1 of its MessagePack, or of the bytes themselves for a key of bytes. So `'a'` and the
 * bytes of its MessagePack have one position.
 *
 * @throws TypeError for a key that Python could not look up
 */
export function idOfKey(key: HivemindKey): DHTId {
  assertKey(key, 'key')
  return sha1(key instanceof Uint8Array ? key : encodeValue(key, 'key'))
}

/** A new node's id. Hivemind does not derive it from the peer id. */
export function randomId(): DHTId {
  return randomBytes(ID_BYTES)
}

/** The XOR metric, to be compared bytewise. */
export function distance(a: DHTId, b: DHTId): Uint8Array {
  return a.map((byte, i) => byte ^ (b[i] ?? 0))
}

/**
 * Checks that Python can look up a key or subkey.
 *
 * @throws TypeError
 */
export function assertKey(key: unknown, name: 'key' | 'subkey'): asserts key is HivemindKey {
  if (key === null) {
    throw new TypeError(
      `${name} is null, which ${name === 'key' ? 'Hivemind takes for another random key each time' : 'means no subkey'}`
    )
  }

  const isObject = typeof key === 'object'
  const isKey = key instanceof Float || key instanceof Uint8Array || key instanceof Tuple

  if (isObject && !isKey) {
    throw new TypeError(
      `${name} ${Array.isArray(key) ? 'is an array: Python can look up tuples only, so use tuple(…)' : 'is an object'}`
    )
  }

  if (key instanceof Tuple) {
    assertHashable(key, name)
  }
}

/** Checks a tuple's items: Python can look up a tuple only if it can look up its items. */
function assertHashable(items: Tuple, name: 'key' | 'subkey'): void {
  for (const item of items) {
    if (item !== null) {
      assertKey(item, name)
    }
  }
}
