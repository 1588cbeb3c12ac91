import { DEFAULT_LIMITS } from './constants.ts'
import { compareEntries, isLive, isTombstone, later } from './entry.ts'
import type { DHTRecord, DHTTime, Entry, Limits, SubkeyId } from './interface.ts'
import { LargeDictionary } from './large-dictionary.ts'
import { isOwned } from './owner.ts'
import { compareRanks } from './rank.ts'

/** What most records have in place of a dictionary: one for all, so nobody may change it. */
export const NO_SUBKEYS: ReadonlyMap<SubkeyId, Entry> = new Map()

/** A key that nobody wrote to. The neutral element of {@link join}. */
export const EMPTY_RECORD: DHTRecord = { subkeys: NO_SUBKEYS }

/**
 * What a replica holds after seeing two records of one key (R5): the winner of the plain entries
 * and the union of the subkeys (R2 each), without what the plain entry erases (R4) and what
 * exceeds `limits.maxSubkeys` (R13). Commutative, associative and idempotent, so replicas agree
 * whatever order records reach them in. Neither looks at the clock nor changes its arguments, and
 * returns `a` itself when `b` adds nothing to it.
 */
export function join(a: DHTRecord, b: DHTRecord, limits: Limits = DEFAULT_LIMITS): DHTRecord {
  const plain = winner(a.plain, b.plain)
  const subkeys = capped(survivors(merged(a.subkeys, b.subkeys), plain), limits.maxSubkeys)
  const isUnchanged = plain === a.plain && sameEntries(subkeys, a.subkeys)

  return isUnchanged ? a : record(plain, subkeys)
}

/** Whether all that `b` says is already in `a`. */
export function subsumes(a: DHTRecord, b: DHTRecord, limits: Limits = DEFAULT_LIMITS): boolean {
  return join(a, b, limits) === a
}

/** The record without what has expired (R1); the same object when nothing has. */
export function prune(from: DHTRecord, now: DHTTime): DHTRecord {
  const plain = from.plain !== undefined && isLive(from.plain, now) ? from.plain : undefined
  const subkeys = keep(from.subkeys, (_, entry) => isLive(entry, now), now)
  const isUnchanged = plain === from.plain && subkeys === from.subkeys

  return isUnchanged ? from : record(plain, subkeys)
}

/** Whether the record says nothing at all, not even that something was deleted. */
export function isEmpty({ plain, subkeys }: DHTRecord): boolean {
  return plain === undefined && subkeys.size === 0
}

/** The moment from which nothing of the record is live; 0 for an empty one. */
export function lastExpiration({ plain, subkeys }: DHTRecord): DHTTime {
  let last = plain?.expirationTime ?? 0

  if (subkeys instanceof LargeDictionary) {
    return Math.max(last, subkeys.lastExpiration)
  }

  for (const { expirationTime } of subkeys.values()) {
    last = Math.max(last, expirationTime)
  }

  return last
}

/** The moment until which all of the record is live; infinite for an empty one. */
export function firstExpiration({ plain, subkeys }: DHTRecord): DHTTime {
  let first = plain?.expirationTime ?? Number.POSITIVE_INFINITY

  if (subkeys instanceof LargeDictionary) {
    return Math.min(first, subkeys.firstExpiration)
  }

  for (const { expirationTime } of subkeys.values()) {
    first = Math.min(first, expirationTime)
  }

  return first
}

/** Whether a dictionary stands in front of the plain entry (R8). Expects a pruned record. */
export function showsDictionary({ subkeys }: DHTRecord): boolean {
  for (const entry of subkeys.values()) {
    if (!isTombstone(entry)) {
      return true
    }
  }

  return false
}

/** A record of these entries; absent fields stay absent, so that equal records look equal. */
export function record(plain: Entry | undefined, subkeys: ReadonlyMap<SubkeyId, Entry>): DHTRecord {
  return plain === undefined ? { subkeys } : { plain, subkeys }
}

function winner(a: Entry | undefined, b: Entry | undefined): Entry | undefined {
  if (a === undefined || b === undefined) {
    return a ?? b
  }

  return later(a, b)
}

/** Whether every entry of `b` is in `a`, or beaten there. */
function covers(a: ReadonlyMap<SubkeyId, Entry>, b: ReadonlyMap<SubkeyId, Entry>): boolean {
  for (const [id, entry] of b) {
    const held = a.get(id)

    if (held === undefined || compareEntries(held, entry) < 0) {
      return false
    }
  }

  return true
}

/** From so many entries on, a few that are added to them shall not cost going through all. */
const LARGE = 256

/** What is less than such a share of them is a few. */
const SHARE = 8

/** The union in the order of the subkeys; where both have one, the later entry. One of the two, if that is all. */
function merged(
  a: ReadonlyMap<SubkeyId, Entry>,
  b: ReadonlyMap<SubkeyId, Entry>
): ReadonlyMap<SubkeyId, Entry> {
  if (covers(a, b)) {
    return a
  }

  if (a.size === 0) {
    return b
  }

  const isFew = a.size >= LARGE && b.size <= a.size / SHARE
  return isFew ? LargeDictionary.of(a).with(b) : united(a, b)
}

/** The same, by going through all of both. */
function united(
  a: ReadonlyMap<SubkeyId, Entry>,
  b: ReadonlyMap<SubkeyId, Entry>
): ReadonlyMap<SubkeyId, Entry> {
  const union = new Map<SubkeyId, Entry>()
  const added = b[Symbol.iterator]()
  let next = added.next()

  for (const [id, entry] of a) {
    while (!next.done && next.value[0] < id) {
      union.set(...next.value)
      next = added.next()
    }

    if (!next.done && next.value[0] === id) {
      union.set(id, later(entry, next.value[1]))
      next = added.next()
    } else {
      union.set(id, entry)
    }
  }

  for (; !next.done; next = added.next()) {
    union.set(...next.value)
  }

  return union
}

/** What the plain entry at time e spares: the subkeys that expire later than e (R4), and owned ones (R16). */
function survivors(
  subkeys: ReadonlyMap<SubkeyId, Entry>,
  plain: Entry | undefined
): ReadonlyMap<SubkeyId, Entry> {
  if (plain === undefined) {
    return subkeys
  }

  const { expirationTime } = plain
  return keep(subkeys, (id, entry) => isSpared(id, entry, expirationTime), expirationTime)
}

/** Whether an entry outlives a plain entry of this expiration (R4): nobody but its owner removes an owned one (R16). */
export function isSpared(id: SubkeyId, entry: Entry, erasedUntil: DHTTime): boolean {
  return entry.expirationTime > erasedUntil || isOwned(id)
}

/**
 * The entries that rank first (R13): owned ones, then those that expire last, ties by their bytes,
 * then by subkey. A subkey's rank can only rise, and what a plain entry erases ranks last, so that
 * what is dropped here is dropped in whatever order records are joined.
 */
function capped(
  subkeys: ReadonlyMap<SubkeyId, Entry>,
  maxSubkeys: number
): ReadonlyMap<SubkeyId, Entry> {
  if (subkeys.size <= maxSubkeys) {
    return subkeys
  }

  const excess = subkeys.size - maxSubkeys

  // A write to a full dictionary adds one, and sorting all is dear.
  if (excess <= FEW && subkeys instanceof LargeDictionary) {
    return subkeys.withoutLast(excess)
  }

  const last = lastOf(subkeys, excess)
  return keep(subkeys, (id) => !last.has(id))
}

/** So many are looked for one by one. */
const FEW = 4

/** Those that rank last. */
function lastOf(subkeys: ReadonlyMap<SubkeyId, Entry>, count: number): Set<SubkeyId> {
  const ranked = Array.from(subkeys, ([id, entry]) => ({ id, entry })).sort(compareRanks)
  return new Set(ranked.slice(-count).map(({ id }) => id))
}

/** Those of which it is true, none of the others expiring later than `untilTime`. All of them, if it is always so. */
function keep(
  subkeys: ReadonlyMap<SubkeyId, Entry>,
  isKept: (id: SubkeyId, entry: Entry) => boolean,
  untilTime?: DHTTime
): ReadonlyMap<SubkeyId, Entry> {
  if (subkeys instanceof LargeDictionary) {
    return subkeys.without(isKept, untilTime)
  }

  if (every(subkeys, isKept)) {
    return subkeys
  }

  const kept = new Map<SubkeyId, Entry>()

  for (const [id, entry] of subkeys) {
    if (isKept(id, entry)) {
      kept.set(id, entry)
    }
  }

  return kept
}

function sameEntries(a: ReadonlyMap<SubkeyId, Entry>, b: ReadonlyMap<SubkeyId, Entry>): boolean {
  if (a instanceof LargeDictionary && b instanceof LargeDictionary) {
    return a.isSame(b)
  }

  return a === b || (a.size === b.size && every(a, (id, entry) => b.get(id) === entry))
}

function every(
  subkeys: ReadonlyMap<SubkeyId, Entry>,
  isTrue: (id: SubkeyId, entry: Entry) => boolean
): boolean {
  for (const [id, entry] of subkeys) {
    if (!isTrue(id, entry)) {
      return false
    }
  }

  return true
}
