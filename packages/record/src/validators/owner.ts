import type { Key } from '../interface.ts'
import { ownerTag } from '../owner.ts'
import type { RecordValidator, Submission, Verdict } from './interface.ts'
import { type KeyPattern, keyMatcher } from './key-pattern.ts'

/** How `ownerValidator` is told what has to belong to whom. */
export interface OwnerValidatorOptions {
  /** The keys that it is about; everything else is accepted. */
  readonly keys: readonly KeyPattern[]

  /** The peers that may write there. Left out: any, each in places of its own. */
  readonly owners?: readonly { toString(): string }[] | undefined
}

/**
 * Requires that what is stored under some keys belongs to somebody, or to one of these peers. That
 * an owned place is written by its owner alone needs no validator: it is so everywhere (R15).
 *
 * @throws TypeError or ValidationError for what is no key pattern, or no peer that can own anything
 */
export function ownerValidator({ keys, owners }: OwnerValidatorOptions): RecordValidator {
  const matchers = keys.map(keyMatcher)
  const tags = owners && new Set(owners.map(ownerTag))
  return {
    name: 'ownerValidator',
    validate: ({ key, owner }: Submission): Verdict => {
      if (!isAbout(matchers, key)) {
        return true
      }

      if (owner === undefined) {
        return 'what is stored here has to belong to somebody: put an ownerTag into key or subkey'
      }

      return tags === undefined || tags.has(ownerTag(owner)) || `${owner} may not write here`
    }
  }
}

function isAbout(matchers: readonly ((key: Key) => boolean)[], key: Key): boolean {
  return matchers.some((matches) => matches(key))
}
