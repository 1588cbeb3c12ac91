import { capSubkeys, filterSubkeys } from './dictionary/filter-subkeys.ts'
import { isSameDictionary, mergeSubkeys } from './dictionary/merge-subkeys.ts'
import { type Entry, later } from './entry.ts'
import { DEFAULT_LIMITS, type Limits } from './limits.ts'
import { isOwned } from './owner/owner.ts'
import { type DHTRecord, record, type Subkeys } from './record.ts'
import type { DHTTime } from './time.ts'
import type { SubkeyId } from './values/key.ts'

/**
 * Merges two records of one key as a replica does that has received both (R5): the winner of the plain entries and
 * the union of the subkeys (R2 each), without the subkeys that the plain entry erases (R4) and those beyond
 * `limits.maxSubkeys` (R13).
 *
 * The operation is commutative, associative and idempotent, so replicas agree whatever order records reach them in.
 * It neither reads the clock nor changes its arguments, and returns `a` itself if `b` adds nothing to it.
 */
export function join(a: DHTRecord, b: DHTRecord, limits: Limits = DEFAULT_LIMITS): DHTRecord {
  const plain = winner(a.plain, b.plain)
  const merged = mergeSubkeys(a.subkeys, b.subkeys)
  const subkeys = capSubkeys(eraseSubkeys(merged, plain), limits.maxSubkeys)
  const isUnchanged = plain === a.plain && isSameDictionary(subkeys, a.subkeys)

  return isUnchanged ? a : record(plain, subkeys)
}

/** Whether joining `b` to `a` adds nothing. */
export function subsumes(a: DHTRecord, b: DHTRecord, limits: Limits = DEFAULT_LIMITS): boolean {
  return join(a, b, limits) === a
}

/**
 * Whether an entry outlives a plain entry that expires at `erasedUntil`: the entry expires later
 * (R4), or is owned, so that only its owner can remove it (R16).
 */
export function isSpared(id: SubkeyId, entry: Entry, erasedUntil: DHTTime): boolean {
  return entry.expirationTime > erasedUntil || isOwned(id)
}

function winner(a: Entry | undefined, b: Entry | undefined): Entry | undefined {
  if (a === undefined || b === undefined) {
    return a ?? b
  }

  return later(a, b)
}

/** Removes the subkeys that the plain entry erases. */
function eraseSubkeys(subkeys: Subkeys, plain: Entry | undefined): Subkeys {
  if (plain === undefined) {
    return subkeys
  }

  const { expirationTime } = plain
  return filterSubkeys(subkeys, (id, entry) => isSpared(id, entry, expirationTime), expirationTime)
}
