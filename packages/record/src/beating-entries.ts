import { compareEntries, type Entry, isTombstone } from './entry.ts'
import { isSpared } from './join.ts'
import { type DHTRecord, record } from './record.ts'
import type { SubkeyId } from './values/key.ts'

/**
 * Picks of what a replica holds the entries that beat a write, as a proof for its writer: applying the
 * write to them is rejected as `stale`, as it was by all that is held (R6). Expects a pruned record.
 */
export function beatingEntries(held: DHTRecord, write: DHTRecord): DHTRecord {
  const hiding = write.plain && hidingSubkey(held, write.plain)
  const subkeys = new Map<SubkeyId, Entry>(hiding && [hiding])
  const erasedUntil = held.plain?.expirationTime ?? 0
  let isPlainNeeded = write.plain !== undefined && hiding === undefined

  for (const [id, entry] of write.subkeys) {
    const own = held.subkeys.get(id)

    if (own !== undefined && isBeaten(entry, own)) {
      subkeys.set(id, own)
    } else {
      isPlainNeeded ||= !isSpared(id, entry, erasedUntil)
    }
  }

  return record(isPlainNeeded ? held.plain : undefined, inOrder(subkeys))
}

function inOrder(subkeys: Map<SubkeyId, Entry>): Map<SubkeyId, Entry> {
  return subkeys.size < 2 ? subkeys : new Map([...subkeys].sort(([a], [b]) => (a < b ? -1 : 1)))
}

function isBeaten(entry: Entry, by: Entry): boolean {
  return compareEntries(by, entry) > 0
}

/** Finds the subkey that expires last of those that hide a plain entry (R8). */
function hidingSubkey(held: DHTRecord, hidden: Entry): [SubkeyId, Entry] | undefined {
  let last: [SubkeyId, Entry] | undefined

  for (const [id, entry] of held.subkeys) {
    const isHiding = !isTombstone(entry) && isSpared(id, entry, hidden.expirationTime)

    if (isHiding && !(last && last[1].expirationTime >= entry.expirationTime)) {
      last = [id, entry]
    }
  }

  return last
}
