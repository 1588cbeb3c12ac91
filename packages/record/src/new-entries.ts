import { filterSubkeys } from './dictionary/filter-subkeys.ts'
import { compareEntries, type Entry } from './entry.ts'
import { type DHTRecord, record } from './record.ts'

/**
 * Picks the entries of a record that `held` lacks or that beat what it has there: joining them to `held` comes to the
 * same as joining the whole record. Returns the record itself if all of it is new.
 */
export function newEntries(held: DHTRecord, added: DHTRecord): DHTRecord {
  const isNew = (entry: Entry, own: Entry | undefined): boolean =>
    own === undefined || compareEntries(own, entry) < 0
  const plain = added.plain && isNew(added.plain, held.plain) ? added.plain : undefined
  const subkeys = filterSubkeys(added.subkeys, (id, entry) => isNew(entry, held.subkeys.get(id)))
  const isWhole = plain === added.plain && subkeys === added.subkeys
  return isWhole ? added : record(plain, subkeys)
}
