import { type Entry, later } from '../entry.ts'
import type { Subkeys } from '../record.ts'
import type { DHTTime } from '../time.ts'
import type { SubkeyId } from '../values/key.ts'
import { type Chunk, chunkOf, filterChunk, indexIn, isSameChunk, lastIn, pairsIn } from './chunk.ts'
import { compareRanks, type SubkeyEntry } from './rank.ts'

/** Entries of a new chunk. */
const NEW_CHUNK = 64

/** Entries beyond which a chunk is split. */
const MAX_CHUNK = 128

/** Mean entries of a chunk below which the dictionary is cut anew. */
const MIN_MEAN_CHUNK = 16

/**
 * A dictionary of many entries, in the order of the subkeys, cut into chunks. A change copies one
 * chunk and shares the others with the dictionary before it. So a write to a full dictionary costs a
 * replica little, rather than a pass over thousands of entries. Immutable.
 */
export class LargeDictionary implements Subkeys {
  readonly #chunks: readonly Chunk[]
  readonly size: number

  /** Bytes that entries and subkeys take in a record's encoding. */
  readonly sizeBytes: number
  readonly firstExpiration: DHTTime
  readonly lastExpiration: DHTTime

  private constructor(chunks: readonly Chunk[]) {
    let [size, sizeBytes] = [0, 0]
    let [firstExpiration, lastExpiration] = [Number.POSITIVE_INFINITY, 0]

    for (const chunk of chunks) {
      size += chunk.ids.length
      sizeBytes += chunk.sizeBytes
      firstExpiration = Math.min(firstExpiration, chunk.firstExpiration)
      lastExpiration = Math.max(lastExpiration, chunk.lastExpiration)
    }

    this.#chunks =
      chunks.length > 1 + size / MIN_MEAN_CHUNK ? chunksOf(chunks.flatMap(pairsIn)) : chunks
    this.size = size
    this.sizeBytes = sizeBytes
    this.firstExpiration = firstExpiration
    this.lastExpiration = lastExpiration
  }

  /** Makes a dictionary of entries in the order of their subkeys. */
  static of(subkeys: Subkeys): LargeDictionary {
    return subkeys instanceof LargeDictionary
      ? subkeys
      : new LargeDictionary(chunksOf(Array.from(subkeys, ([id, entry]) => ({ id, entry }))))
  }

  get(id: SubkeyId): Entry | undefined {
    const chunk = this.#chunks[chunkIndex(this.#chunks, id)]

    if (chunk === undefined) {
      return undefined
    }

    const at = indexIn(chunk.ids, id)
    return chunk.ids[at] === id ? chunk.entries[at] : undefined
  }

  has(id: SubkeyId): boolean {
    return this.get(id) !== undefined
  }

  *entries(): Generator<[SubkeyId, Entry], undefined> {
    for (const { ids, entries } of this.#chunks) {
      for (let i = 0; i < ids.length; i++) {
        yield [ids[i] as SubkeyId, entries[i] as Entry]
      }
    }
  }

  *keys(): Generator<SubkeyId, undefined> {
    for (const { ids } of this.#chunks) {
      yield* ids
    }
  }

  *values(): Generator<Entry, undefined> {
    for (const { entries } of this.#chunks) {
      yield* entries
    }
  }

  [Symbol.iterator](): Generator<[SubkeyId, Entry], undefined> {
    return this.entries()
  }

  forEach(callback: (entry: Entry, id: SubkeyId, map: Subkeys) => void): void {
    for (const [id, entry] of this) {
      callback(entry, id, this)
    }
  }

  /** Adds entries. Of two entries under one subkey the later one stays. */
  with(added: Subkeys): LargeDictionary {
    const chunks = [...this.#chunks]

    for (const [id, entry] of added) {
      const at = chunkIndex(chunks, id)
      chunks.splice(at, 1, ...split(addTo(chunks[at] ?? EMPTY, { id, entry })))
    }

    return new LargeDictionary(chunks)
  }

  /**
   * Keeps the entries for which `isKept` is true. Returns the same object if it is true of all.
   *
   * @param untilTime the latest expiration that a removed entry can have
   */
  filter(
    isKept: (id: SubkeyId, entry: Entry) => boolean,
    untilTime: DHTTime = this.lastExpiration
  ): LargeDictionary {
    if (this.firstExpiration > untilTime) {
      return this
    }

    const chunks = this.#chunks.map((chunk) =>
      chunk.firstExpiration > untilTime ? chunk : filterChunk(chunk, isKept)
    )
    return chunks.every((chunk, i) => chunk === this.#chunks[i])
      ? this
      : new LargeDictionary(chunks.filter((chunk) => chunk !== undefined))
  }

  /** Removes this many entries: those that rank last (R13). */
  withoutLast(count: number): LargeDictionary {
    const chunks = [...this.#chunks]

    for (let left = count; left > 0 && chunks.length > 0; left--) {
      const { id } = chunks.map(lastIn).reduce((a, b) => (compareRanks(a, b) > 0 ? a : b))
      const at = chunkIndex(chunks, id)
      chunks.splice(at, 1, ...removeFrom(chunks[at] ?? EMPTY, id))
    }

    return new LargeDictionary(chunks)
  }

  /** Whether both hold the very same entry objects. Skips the chunks that they share. */
  isSame(other: LargeDictionary): boolean {
    if (this.size !== other.size) {
      return false
    }

    const at = this.#chunks.findIndex((chunk, i) => !isSameChunk(chunk, other.#chunks[i]))
    return at < 0 || isSameSequence(this.#pairsFrom(at), other.#pairsFrom(at))
  }

  *#pairsFrom(at: number): Generator<SubkeyEntry, undefined> {
    for (const chunk of this.#chunks.slice(at)) {
      yield* pairsIn(chunk)
    }
  }
}

const EMPTY: Chunk = chunkOf([], [])

/** The index of the chunk that holds the subkey, or in which it belongs. */
function chunkIndex(chunks: readonly Chunk[], id: SubkeyId): number {
  let [low, high] = [0, chunks.length - 1]

  while (low < high) {
    const middle = (low + high + 1) >>> 1

    if ((chunks[middle]?.ids[0] ?? '') <= id) {
      low = middle
    } else {
      high = middle - 1
    }
  }

  return low
}

/** Cuts entries into chunks of about the same size. */
function chunksOf(pairs: readonly SubkeyEntry[]): Chunk[] {
  const chunks: Chunk[] = []
  const size = Math.ceil(pairs.length / Math.ceil(pairs.length / NEW_CHUNK))

  for (let i = 0; i < pairs.length; i += size) {
    const some = pairs.slice(i, i + size)
    chunks.push(
      chunkOf(
        some.map(({ id }) => id),
        some.map(({ entry }) => entry)
      )
    )
  }

  return chunks
}

/** Adds one entry, unless a later one is held. */
function addTo({ ids, entries }: Chunk, { id, entry }: SubkeyEntry): Chunk {
  const at = indexIn(ids, id)
  const held = ids[at] === id ? entries[at] : undefined
  return held === undefined
    ? chunkOf(ids.toSpliced(at, 0, id), entries.toSpliced(at, 0, entry))
    : chunkOf(ids, entries.with(at, later(held, entry)))
}

/** Removes one entry, and the chunk with the last of them. */
function removeFrom({ ids, entries }: Chunk, id: SubkeyId): Chunk[] {
  const at = indexIn(ids, id)
  return ids.length === 1 ? [] : [chunkOf(ids.toSpliced(at, 1), entries.toSpliced(at, 1))]
}

/** Whether two sequences of the same length hold the very same entry objects. */
function isSameSequence(
  a: Generator<SubkeyEntry, undefined>,
  b: Generator<SubkeyEntry, undefined>
): boolean {
  for (const { id, entry } of a) {
    const { value } = b.next()

    if (id !== value?.id || entry !== value.entry) {
      return false
    }
  }

  return true
}

/** Splits a chunk that has become too large. */
function split(chunk: Chunk): Chunk[] {
  return chunk.ids.length <= MAX_CHUNK ? [chunk] : chunksOf(pairsIn(chunk))
}
