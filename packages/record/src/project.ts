import type { Entry } from './entry.ts'
import type { DHTRecord } from './record.ts'
import { NO_SUBKEYS, record } from './record.ts'
import type { SubkeyId } from './values/key.ts'

/**
 * Picks some places of a record: the entries under these subkeys, and the plain entry, which may erase
 * them (R4). It is a valid record, and joining two projections gives the projection of the join (R5),
 * unless a dictionary is over its limit (R13). Expects subkeys in the order of their bytes.
 */
export function project(from: DHTRecord, ids: readonly SubkeyId[]): DHTRecord {
  const subkeys = new Map<SubkeyId, Entry>()

  for (const id of ids) {
    const entry = from.subkeys.get(id)

    if (entry !== undefined) {
      subkeys.set(id, entry)
    }
  }

  return record(from.plain, subkeys.size === 0 ? NO_SUBKEYS : subkeys)
}
