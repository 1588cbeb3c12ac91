import { compareEntries, type Entry, later } from '../entry.ts'
import type { Subkeys } from '../record.ts'
import type { SubkeyId } from '../values/key.ts'
import { every } from './filter-subkeys.ts'
import { LargeDictionary } from './large-dictionary.ts'

/** Entries from which a small addition must not cost a pass over the whole dictionary. */
const LARGE = 256

/** An addition is small if it has at most this fraction of the dictionary's entries: one in eight. */
const SMALL_FRACTION = 8

/**
 * Unites two dictionaries in the order of the subkeys. Of two entries under one subkey the later one
 * stays. Returns `a` or `b` itself if that is the union.
 */
export function mergeSubkeys(a: Subkeys, b: Subkeys): Subkeys {
  if (covers(a, b)) {
    return a
  }

  if (a.size === 0) {
    return b
  }

  const isSmall = a.size >= LARGE && b.size <= a.size / SMALL_FRACTION
  return isSmall ? LargeDictionary.of(a).with(b) : mergeAll(a, b)
}

/** Whether both hold the very same entry objects. */
export function isSameDictionary(a: Subkeys, b: Subkeys): boolean {
  if (a instanceof LargeDictionary && b instanceof LargeDictionary) {
    return a.isSame(b)
  }

  return a === b || (a.size === b.size && every(a, (id, entry) => b.get(id) === entry))
}

/** Whether `a` holds every entry of `b`, or one that beats it. */
function covers(a: Subkeys, b: Subkeys): boolean {
  for (const [id, entry] of b) {
    const held = a.get(id)

    if (held === undefined || compareEntries(held, entry) < 0) {
      return false
    }
  }

  return true
}

/** Merges by passing over both, as merge sort does. */
function mergeAll(a: Subkeys, b: Subkeys): Subkeys {
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
