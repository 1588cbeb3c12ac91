import { encodedSize } from './codec/encode-record.ts'
import { compareEntries, type Entry } from './entry.ts'
import { isSpared, join } from './join.ts'
import { DEFAULT_LIMITS, type Limits, type RuleOptions } from './limits.ts'
import { prune } from './prune.ts'
import { type DHTRecord, isEmpty } from './record.ts'
import { getDHTTime } from './time.ts'
import { showsDictionary } from './view.ts'

/** The outcome of a write. `record` is what the replica holds from now on. */
export type Applied =
  | { readonly isAccepted: true; readonly record: DHTRecord }
  | { readonly isAccepted: false; readonly record: DHTRecord; readonly reason: Rejection }

/**
 * The reason why a write changed nothing: it had expired, an entry that is held beats it, or the
 * record has no room for it.
 */
export type Rejection = 'expired' | 'stale' | 'full'

/**
 * Applies one client's write to what a replica holds (R6): joins the two and keeps the result if
 * the write is visible in it. Otherwise rejects the write and changes nothing.
 *
 * Storing again what is held is accepted (R3). A write of several entries, such as another replica's
 * copy, is accepted if any of them is visible.
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
  if (isSameEntry(entries.plain, joined.plain) && !showsDictionary(joined)) {
    return true
  }

  for (const [id, entry] of entries.subkeys) {
    if (isSameEntry(entry, joined.subkeys.get(id))) {
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

function isSameEntry(a: Entry | undefined, b: Entry | undefined): boolean {
  return a !== undefined && b !== undefined && compareEntries(a, b) === 0
}
