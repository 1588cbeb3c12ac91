import { floatSize } from './float.ts'

/*
 * The core deterministic encoding of RFC 8949 §4.2.1, restricted to the types that R11 lists.
 * docs/records.md has the details.
 */

/** Major types: the first three bits of an item. The other five hold its argument (RFC 8949 §3). */
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

/** Arguments of major type 7: a value, or the number of bytes of the float that follows. */
export const SIMPLE = {
  false: 20,
  true: 21,
  null: 22,
  undefined: 23,
  float16: 25,
  float32: 26,
  float64: 27
} as const

/** The tag of a bigint that is not negative (RFC 8949 §3.4.3). A number never has a tag. */
export const TAG_POSITIVE_BIGINT = 2

/** The tag of a negative bigint. */
export const TAG_NEGATIVE_BIGINT = 3

const MAX_UINT64 = 2n ** 64n - 1n
const MIN_INT64 = -(2n ** 63n)

/** The bytes that the shortest head with this argument takes. */
export function headSize(argument: number): number {
  if (argument < 24) {
    return 1
  }

  if (argument < 2 ** 16) {
    return argument < 2 ** 8 ? 2 : 3
  }

  return argument < 2 ** 32 ? 5 : 9
}

/** Whether the number is written as an integer. Every other number is a float. */
export function isInteger(n: number): boolean {
  return Number.isSafeInteger(n) && !Object.is(n, -0)
}

/** The bytes that the number takes. */
export function numberSize(n: number): number {
  return isInteger(n) ? headSize(n < 0 ? -1 - n : n) : 1 + floatSize(n)
}

/** Whether the bigint fits 64 bits, signed or unsigned. */
export function is64Bit(n: bigint): boolean {
  return n >= MIN_INT64 && n <= MAX_UINT64
}

/** Decodes the bigint of a tag and its bytes. */
export function bigIntOf(tag: number, magnitude: Uint8Array): bigint {
  let n = 0n

  for (const byte of magnitude) {
    n = (n << 8n) | BigInt(byte)
  }

  return tag === TAG_NEGATIVE_BIGINT ? -1n - n : n
}

/** The bytes of a bigint without leading zeros. The tag holds the sign. */
export function magnitudeOf(n: bigint): Uint8Array {
  const bytes: number[] = []

  for (let rest = n < 0n ? -1n - n : n; rest > 0n; rest >>= 8n) {
    bytes.unshift(Number(rest & 0xffn))
  }

  return Uint8Array.from(bytes)
}
