import { type Entry, entrySize } from '../entry.ts'
import type { DHTTime } from '../time.ts'
import type { SubkeyId } from '../values/key.ts'
import { compareRanks, type SubkeyEntry } from './rank.ts'

/** Adjacent entries of a large dictionary, at least one, and their totals. Immutable. */
export interface Chunk {
  /** Subkeys in their order. */
  readonly ids: readonly SubkeyId[]

  /** Entries in the order of `ids`. */
  readonly entries: readonly Entry[]

  /** Bytes that entries and subkeys take in a record's encoding. */
  readonly sizeBytes: number
  readonly firstExpiration: DHTTime
  readonly lastExpiration: DHTTime

  /** The entry that ranks last, computed when it is first asked for. */
  last?: SubkeyEntry
}

/** Makes a chunk of these subkeys and entries, which are in the same order. */
export function chunkOf(ids: readonly SubkeyId[], entries: readonly Entry[]): Chunk {
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

/** The index of the subkey, or the index at which it belongs. */
export function indexIn(ids: readonly SubkeyId[], id: SubkeyId): number {
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

/** The entry that ranks last (R13). */
export function lastIn(chunk: Chunk): SubkeyEntry {
  chunk.last ??= pairsIn(chunk).reduce((a, b) => (compareRanks(a, b) > 0 ? a : b))
  return chunk.last
}

/** The entries with their subkeys. */
export function pairsIn({ ids, entries }: Chunk): SubkeyEntry[] {
  return entries.map((entry, i) => ({ id: ids[i] ?? '', entry }))
}

/** Whether both hold the very same entry objects under the same subkeys. */
export function isSameChunk(a: Chunk, b: Chunk | undefined): boolean {
  return (
    a === b ||
    (a.ids.length === b?.ids.length &&
      a.ids.every((id, i) => id === b.ids[i] && a.entries[i] === b.entries[i]))
  )
}

/** Keeps the entries for which `isKept` is true: the chunk itself if all are kept, undefined if none is. */
export function filterChunk(
  chunk: Chunk,
  isKept: (id: SubkeyId, entry: Entry) => boolean
): Chunk | undefined {
  const kept = pairsIn(chunk).filter(({ id, entry }) => isKept(id, entry))

  if (kept.length === chunk.ids.length) {
    return chunk
  }

  return kept.length === 0
    ? undefined
    : chunkOf(
        kept.map(({ id }) => id),
        kept.map(({ entry }) => entry)
      )
}
