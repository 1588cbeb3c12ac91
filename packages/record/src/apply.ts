import { DEFAULT_LIMITS } from './constants.ts'
import { encodedSize } from './encode-record.ts'
import { compareEntries } from './entry.ts'
import type { DHTRecord, Entry, Limits, RuleOptions } from './interface.ts'
import { isEmpty, isSpared, join, prune, showsDictionary } from './record.ts'
import { getDHTTime } from './time.ts'

/** What a replica made of a write. `record` is what it holds from now on. */
export type Applied =
  | { readonly isAccepted: true; readonly record: DHTRecord }
  | { readonly isAccepted: false; readonly record: DHTRecord; readonly reason: Rejection }

/**
 * Why a write changed nothing: it had expired; something that beats it is held; or the record has
 * no room for it.
 */
export type Rejection = 'expired' | 'stale' | 'full'

/**
 * What a replica does with one client's write (R6): joins the two and keeps the result if the
 * write can be seen in it, or else rejects the write and stays as it was. Storing again what is
 * held is accepted (R3). A write of several entries, such as another replica's copy, is accepted
 * if any of them can be seen.
 */
export function apply(held: DHTRecord, write: DHTRecord, options: RuleOptions = {}): Applied {
  const { now = getDHTTime(), limits = DEFAULT_LIMITS } = options
  const live = prune(write, now)

  if (isEmpty(live)) {
    return { isAccepted: false, record: held, reason: 'expired' }
  }

  const joined = join(prune(held, now), live, limits)

  if (!isAnyVisible(live, joined)) {
    const reason = isAnyCrowdedOut(live, joined, limits) ? 'full' : 'stale'
    return { isAccepted: false, record: held, reason }
  }

  if (encodedSize(joined) > limits.maxRecordBytes) {
    return { isAccepted: false, record: held, reason: 'full' }
  }

  return { isAccepted: true, record: joined }
}

/** Whether a reader of `joined` sees one of the entries, or sees nothing where one deletes (R8). */
function isAnyVisible(entries: DHTRecord, joined: DHTRecord): boolean {
  if (isHeld(entries.plain, joined.plain) && !showsDictionary(joined)) {
    return true
  }

  for (const [id, entry] of entries.subkeys) {
    if (isHeld(entry, joined.subkeys.get(id))) {
      return true
    }
  }

  return false
}

/** Whether one of the entries is missing only because others rank before it (R13). */
function isAnyCrowdedOut({ subkeys }: DHTRecord, joined: DHTRecord, limits: Limits): boolean {
  const isFull = joined.subkeys.size >= limits.maxSubkeys
  const erasedUntil = joined.plain?.expirationTime ?? 0
  return (
    isFull &&
    [...subkeys].some(([id, entry]) => !joined.subkeys.has(id) && isSpared(id, entry, erasedUntil))
  )
}

function isHeld(entry: Entry | undefined, held: Entry | undefined): boolean {
  return entry !== undefined && held !== undefined && compareEntries(entry, held) === 0
}
