import { encodeRecord, isEmpty } from '@waggle/record'
import { project } from '@waggle/record/replica'
import { nameOf, type RecordStore } from '../store/record-store.ts'
import { NEVER_FRESH } from '../store/stored-record.ts'
import { UNKNOWN_AGE_MS } from '../wire/limits.ts'
import type { FindKey, FoundAnswer } from './messages.ts'

export const NO_PEERS: readonly number[] = []
const NONE: KeyAnswer = { answer: { standing: 'nothing', closer: NO_PEERS }, isFound: false }
export const ABSENT: KeyAnswer = {
  answer: { standing: 'absent', closer: NO_PEERS },
  isFound: false
}
export const SAME: FoundAnswer = { standing: 'same', closer: NO_PEERS }

/**
 * Answers with a record that was stored here before nearer peers were known. It may be one write of many, so the
 * asker is named others, and takes it only where they have nothing.
 */
export function partOf(held: EncodedPart | undefined): KeyAnswer {
  return held?.isFound === true
    ? {
        answer: { standing: 'copy', ageMs: UNKNOWN_AGE_MS, record: held.bytes, closer: NO_PEERS },
        isFound: false
      }
    : NONE
}

/** The answer for a key. */
export interface KeyAnswer {
  readonly answer: FoundAnswer

  /** Whether it is what the peer looks for. If not, the peer is named others to ask. */
  readonly isFound: boolean
}

/**
 * Returns a copy that is whole and recent enough. A copy without the wanted subkeys is no answer: the dictionary may
 * have them by now.
 */
export function copyIn(
  store: RecordStore | undefined,
  wanted: FindKey,
  maxAge: number
): FoundAnswer | undefined {
  const { freshMs = NEVER_FRESH } = (maxAge > 0 && store?.find(nameOf(wanted.key))) || {}
  const ageMs = Math.ceil(performance.now() - freshMs)
  const copy = ageMs <= 1000 * maxAge ? store && encodedPart(store, wanted) : undefined
  return copy?.isFound
    ? { standing: 'copy', ageMs, record: copy.bytes, closer: NO_PEERS }
    : undefined
}

export interface EncodedPart {
  readonly bytes: Uint8Array

  /** Whether it contains any of the wanted entries. */
  readonly isFound: boolean
}

/** Encodes the wanted part of a store's record; undefined if it does not hold the key. */
export function encodedPart(
  store: RecordStore,
  { key, subkeys }: FindKey
): EncodedPart | undefined {
  if (subkeys.length === 0) {
    const bytes = store.encoded(key)
    return bytes && { bytes, isFound: true }
  }

  const held = store.get(key)

  // The rest is not encoded: of a full dictionary, that would take a thousand times as long.
  if (isEmpty(held)) {
    return undefined
  }

  const part = project(held, subkeys)
  return { bytes: encodeRecord(part), isFound: part.subkeys.size > 0 }
}
