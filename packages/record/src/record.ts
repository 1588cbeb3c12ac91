import type { Entry } from './entry.ts'
import type { SubkeyId } from './values/key.ts'

/** The content of one key at one replica. Treat as immutable. */
export interface DHTRecord {
  /** The value under the key itself. */
  readonly plain?: Entry

  /** The dictionary, in the order of the subkeys' bytes. */
  readonly subkeys: Subkeys
}

/** The entries of a dictionary, in the order of the subkeys' bytes. */
export type Subkeys = ReadonlyMap<SubkeyId, Entry>

/** The first byte of every record. */
export const RECORD_VERSION = 1

/** The empty dictionary, shared by most records. */
export const NO_SUBKEYS: Subkeys = new Map()

/** The record of a key that has no entries, and the neutral element of {@link join}. */
export const EMPTY_RECORD: DHTRecord = { subkeys: NO_SUBKEYS }

/** Makes a record of these entries. An absent field stays absent, so that equal records look equal. */
export function record(plain: Entry | undefined, subkeys: Subkeys): DHTRecord {
  return plain === undefined ? { subkeys } : { plain, subkeys }
}

/** Whether the record has no entries at all, not even tombstones. */
export function isEmpty({ plain, subkeys }: DHTRecord): boolean {
  return plain === undefined && subkeys.size === 0
}
