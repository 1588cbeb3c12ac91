import { equals } from 'uint8arrays/equals'
import { UNLIMITED } from '../constants.ts'
import type { Key } from '../interface.ts'
import { recordKey } from '../key.ts'

/**
 * Which keys something is about: one key; string keys that begin so; string keys that the
 * expression is found in, which `^` and `$` make to mean the whole key.
 */
export type KeyPattern =
  | { readonly key: Key }
  | { readonly prefix: string }
  | { readonly pattern: RegExp }

/** @throws TypeError for what is no such pattern */
export function keyMatcher(given: KeyPattern): (key: Key) => boolean {
  const kinds = ['key', 'prefix', 'pattern'].filter((kind) => Object(given)[kind] !== undefined)

  if (kinds.length !== 1) {
    throw new TypeError(`give one of key, prefix and pattern, got ${kinds.join(' and ') || 'none'}`)
  }

  if ('key' in given) {
    const bytes = recordKey(given.key)
    return (key) => equals(recordKey(key, UNLIMITED), bytes)
  }

  if ('prefix' in given) {
    assertThat(typeof given.prefix === 'string', 'prefix must be a string')
    return (key) => typeof key === 'string' && key.startsWith(given.prefix)
  }

  assertThat(given.pattern instanceof RegExp, 'pattern must be a regular expression')
  // With g or y an expression remembers where it found something last.
  const pattern = new RegExp(given.pattern, given.pattern.flags.replace(/[gy]/g, ''))
  return (key) => typeof key === 'string' && pattern.test(key)
}

function assertThat(isTrue: boolean, otherwise: string): void {
  if (!isTrue) {
    throw new TypeError(otherwise)
  }
}
