/**
 * Anything that can be stored. Numbers exclude NaN, bigints have 64 bits (−2⁶³ to 2⁶⁴−1), and objects
 * are plain ones. (Declare yours with `type`: TypeScript interfaces are not assignable to `Value`,
 * because they can be extended.)
 */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly Value[]
  | { readonly [name: string]: Value }

/** A key: any {@link Value} without objects. `0`, `false`, `''` and `'0'` are four different keys. */
export type Key = null | boolean | number | bigint | string | Uint8Array | readonly Key[]

/** The name of a value in a dictionary: the same types as a {@link Key}. */
export type Subkey = Key

/** Arrays and objects inside each other. Bounds the stack that reading a value takes. */
export const MAX_VALUE_DEPTH = 256
