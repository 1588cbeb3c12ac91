import { equals } from 'uint8arrays/equals'
import { assertThat } from '../argument-checks.ts'
import { UNLIMITED } from '../limits.ts'
import { recordKey } from '../values/key.ts'
import type { Key } from '../values/value.ts'

/**
 * Selects keys: one key, string keys with a prefix, or string keys in which the expression matches
 * (with `^` and `$`, those that it matches in full).
 */
export type KeyPattern =
  | { readonly key: Key }
  | { readonly prefix: string }
  | { readonly pattern: RegExp }

/** The properties of a pattern. */
export const KEY_PATTERN = { key: {}, prefix: {}, pattern: {} } as const

/**
 * Makes a function that returns whether a key matches.
 *
 * @throws TypeError unless exactly one of key, prefix and pattern is given, with the right type
 */
export function keyMatcher(given: KeyPattern): (key: Key) => boolean {
  const kinds = Object.keys(KEY_PATTERN).filter((kind) => Object(given)[kind] !== undefined)

  if (kinds.length !== 1) {
    throw new TypeError(`give one of key, prefix and pattern, got ${kinds.join(' and ') || 'none'}`)
  }

  if ('key' in given) {
    const bytes = recordKey(given.key)
    return (key) => equals(recordKey(key, UNLIMITED), bytes)
  }

  if ('prefix' in given) {
    assertThat(typeof given.prefix === 'string', 'prefix', 'a string', given.prefix)
    return (key) => typeof key === 'string' && key.startsWith(given.prefix)
  }

  assertThat(given.pattern instanceof RegExp, 'pattern', 'a regular expression', given.pattern)
  // With g or y, an expression continues from its last match.
  const pattern = new RegExp(given.pattern, given.pattern.flags.replace(/[gy]/g, ''))
  return (key) => typeof key === 'string' && pattern.test(key)
}
