import { entrySize } from './entry-size.ts'
import type { DHTTime, Entry, SubkeyId } from './interface.ts'
import { compareRanks, type Place } from './rank.ts'

/** Some neighbours of a large dictionary, with what is asked of all of them. Never changed. */
export interface Run {
  /** In their order; the entries are in the same one. At least one. */
  readonly ids: readonly SubkeyId[]
  readonly entries: readonly Entry[]

  /** What they take in a record's encoding. */
  readonly sizeBytes: number
  readonly firstExpiration: DHTTime
  readonly lastExpiration: DHTTime

  /** The one that ranks last; found out when first asked for. */
  last?: Place
}

export function runOf(ids: readonly SubkeyId[], entries: readonly Entry[]): Run {
  let sizeBytes = 0
  let firstExpiration = Number.POSITIVE_INFINITY
  let lastExpiration = 0

  for (const id of ids) {
    sizeBytes += id.length
  }

  for (const entry of entries) {
    sizeBytes += entrySize(entry)
    firstExpiration = Math.min(firstExpiration, entry.expirationTime)
    lastExpiration = Math.max(lastExpiration, entry.expirationTime)
  }

  return { ids, entries, sizeBytes, firstExpiration, lastExpiration }
}

/** Where the subkey is, or would be. */
export function positionIn(ids: readonly SubkeyId[], id: SubkeyId): number {
  let [low, high] = [0, ids.length]

  while (low < high) {
    const middle = (low + high) >>> 1

    if ((ids[middle] ?? '') < id) {
      low = middle + 1
    } else {
      high = middle
    }
  }

  return low
}

/** The one that ranks last (R13). */
export function lastIn(run: Run): Place {
  run.last ??= placesIn(run).reduce((a, b) => (compareRanks(a, b) > 0 ? a : b))
  return run.last
}

export function placesIn({ ids, entries }: Run): Place[] {
  return entries.map((entry, i) => ({ id: ids[i] ?? '', entry }))
}

export function isSameRun(a: Run, b: Run | undefined): boolean {
  return (
    a === b ||
    (a.ids.length === b?.ids.length &&
      a.ids.every((id, i) => id === b.ids[i] && a.entries[i] === b.entries[i]))
  )
}

/** Those of its entries that are to be kept; the run itself if all are, undefined if none is. */
export function filtered(
  run: Run,
  isKept: (id: SubkeyId, entry: Entry) => boolean
): Run | undefined {
  const kept = placesIn(run).filter(({ id, entry }) => isKept(id, entry))

  if (kept.length === run.ids.length) {
    return run
  }

  return kept.length === 0
    ? undefined
    : runOf(
        kept.map(({ id }) => id),
        kept.map(({ entry }) => entry)
      )
}
