import { assertArray, assertOptions, type OptionTable } from '../argument-checks.ts'
import { ownerTag } from '../owner/owner.ts'
import type { Key } from '../values/value.ts'
import { KEY_PATTERN, type KeyPattern, keyMatcher } from './key-pattern.ts'
import type { RecordValidator, Verdict } from './record-validator.ts'
import type { Submission } from './submission.ts'

/** Options of {@link ownerValidator}. */
export interface OwnerValidatorOptions {
  /** Keys whose entries must be owned. Entries under other keys are accepted. */
  readonly keys: readonly KeyPattern[]

  /** Peers that may own them. @default any peer, in places of its own */
  readonly owners?: readonly { toString(): string }[] | undefined
}

/**
 * Requires entries under some keys to be owned, by any peer or by one of these peers. No validator is
 * needed to keep others from writing to an owned place: every replica does so (R15).
 *
 * @throws TypeError for an invalid key pattern or peer id
 * @throws ValidationError for a peer that can't own anything
 */
export function ownerValidator(options: OwnerValidatorOptions): RecordValidator {
  assertOptions('ownerValidator', options, OPTIONS)
  const { keys, owners } = options
  assertArray(keys, 'keys')
  const matchers = keys.map(patternMatcher)
  const tags = owners && new Set(owners.map(ownerTag))
  return {
    name: 'ownerValidator',
    validate: ({ key, owner }: Submission): Verdict => {
      if (!matchesAny(matchers, key)) {
        return true
      }

      if (owner === undefined) {
        return 'entries must be owned here: put an ownerTag into the key or subkey'
      }

      return tags === undefined || tags.has(ownerTag(owner)) || `${owner} may not write here`
    }
  }
}

const OPTIONS: OptionTable<OwnerValidatorOptions> = { keys: {}, owners: { assert: assertArray } }

function patternMatcher(pattern: KeyPattern, index: number): (key: Key) => boolean {
  assertOptions(`keys[${index}]`, pattern, KEY_PATTERN)
  return keyMatcher(pattern)
}

function matchesAny(matchers: readonly ((key: Key) => boolean)[], key: Key): boolean {
  return matchers.some((matches) => matches(key))
}
