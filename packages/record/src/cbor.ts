import { floatSize } from './float.ts'

/*
 * What reading and writing have in common: the core deterministic encoding of RFC 8949 §4.2.1, of
 * the kinds that R11 lists. docs/records.md has the details.
 */

/** An item begins with three bits for its kind, the major type, and five for its argument (RFC 8949 §3). */
export const MAJOR = {
  uint: 0,
  negint: 1,
  bytes: 2,
  string: 3,
  array: 4,
  map: 5,
  tag: 6,
  simple: 7
} as const

/** In major type 7 the argument itself is the value, or says how many bytes of a float follow. */
export const SIMPLE = {
  false: 20,
  true: 21,
  null: 22,
  undefined: 23,
  float16: 25,
  float32: 26,
  float64: 27
} as const

/** Tags of RFC 8949 §3.4.3: a bigint is always one of these, a number never. */
export const TAG_POSITIVE_BIGINT = 2
export const TAG_NEGATIVE_BIGINT = 3

const MAX_UINT64 = 2n ** 64n - 1n
const MIN_INT64 = -(2n ** 63n)

/** How many bytes the shortest head with this argument takes. */
export function headSize(argument: number): number {
  if (argument < 24) {
    return 1
  }

  if (argument < 2 ** 16) {
    return argument < 2 ** 8 ? 2 : 3
  }

  return argument < 2 ** 32 ? 5 : 9
}

/** Whether the number is written as an integer; every other one is a float. */
export function isInteger(n: number): boolean {
  return Number.isSafeInteger(n) && !Object.is(n, -0)
}

/** How many bytes the number takes. */
export function numberSize(n: number): number {
  return isInteger(n) ? headSize(n < 0 ? -1 - n : n) : 1 + floatSize(n)
}

/** Whether the bigint fits 64 bits, signed or unsigned. */
export function is64Bit(n: bigint): boolean {
  return n >= MIN_INT64 && n <= MAX_UINT64
}

/** The bigint that a tag and its bytes stand for. */
export function bigIntOf(tag: number, magnitude: Uint8Array): bigint {
  let n = 0n

  for (const byte of magnitude) {
    n = (n << 8n) | BigInt(byte)
  }

  return tag === TAG_NEGATIVE_BIGINT ? -1n - n : n
}

/** The bytes of a bignum without leading zeros; the tag says the sign. */
export function magnitudeOf(n: bigint): Uint8Array {
  const bytes: number[] = []

  for (let rest = n < 0n ? -1n - n : n; rest > 0n; rest >>= 8n) {
    bytes.unshift(Number(rest & 0xffn))
  }

  return Uint8Array.from(bytes)
}
