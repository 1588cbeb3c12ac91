import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import type { DHTTime, Key, Subkey, Value } from '@waggle/record'
import { decodeValue, encodeValue, UNLIMITED } from '@waggle/record/replica'
import { concat } from 'uint8arrays/concat'
import type { SealingKeys } from './sealing-keys.ts'

/** The place and expiration of a sealed value. It can't be opened with any other. */
export interface SealedPlace {
  /** The key, as replicas see it. */
  readonly key: Key
  readonly subkey: Subkey | undefined
  readonly expirationTime: DHTTime
}

/** The sealed content: a value and its subkey, as members see it. */
export interface Content {
  readonly subkey: Subkey | undefined
  readonly value: Value
}

/** The first byte of a CBOR array, to which the number of items is added. */
const ARRAY = 0x80

/** The first byte of a sealed value. */
const VERSION = 1
const NONCE_BYTES = 24

/** Bytes that sealing adds to a value: version, nonce and tag. */
export const OVERHEAD_BYTES: number = 1 + NONCE_BYTES + 16

type Keys = Pick<SealingKeys, 'values' | 'nonces'>

/**
 * Encodes content for sealing.
 *
 * @throws TypeError naming the path to what can't be stored
 */
export function contentBytes({ subkey, value }: Content): Uint8Array {
  const items = [value, ...(subkey === undefined ? [] : [subkey])]
  // Encoded separately, so that an error names the path in the value.
  return concat([
    Uint8Array.of(ARRAY | items.length),
    ...items.map((item) => encodeValue(item, UNLIMITED))
  ])
}

/**
 * Seals content for one place and expiration. The nonce is derived from everything that is sealed, so the same
 * write has the same bytes, as ties between replicas require (R2, R3), and no nonce is used for two messages.
 */
export function seal(keys: Keys, place: SealedPlace, content: Uint8Array): Uint8Array {
  const bound = boundBytes(place)
  const nonce = hmac(sha256, keys.nonces, concat([bound, content])).subarray(0, NONCE_BYTES)
  return concat([
    Uint8Array.of(VERSION),
    nonce,
    xchacha20poly1305(keys.values, nonce, bound).encrypt(content)
  ])
}

/** Opens a sealed value. Undefined if it was not sealed with these keys for this place and expiration. */
export function open(keys: Keys, place: SealedPlace, sealed: unknown): Content | undefined {
  if (!(sealed instanceof Uint8Array) || sealed[0] !== VERSION || sealed.length < OVERHEAD_BYTES) {
    return undefined
  }

  const nonce = sealed.subarray(1, 1 + NONCE_BYTES)

  try {
    const content = decodeValue(
      xchacha20poly1305(keys.values, nonce, boundBytes(place)).decrypt(
        sealed.subarray(1 + NONCE_BYTES)
      )
    )
    const [value, subkey] = content as readonly [Value, Subkey | undefined]
    return { value, subkey }
  } catch {
    return undefined
  }
}

/**
 * The bytes that are authenticated with a value. Their encoding is canonical (R10), and distinguishes all places.
 */
function boundBytes({ key, subkey, expirationTime }: SealedPlace): Uint8Array {
  return encodeValue(
    [VERSION, expirationTime, key, ...(subkey === undefined ? [] : [subkey])],
    UNLIMITED
  )
}
