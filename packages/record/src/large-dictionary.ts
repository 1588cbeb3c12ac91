import { later } from './entry.ts'
import type { DHTTime, Entry, SubkeyId } from './interface.ts'
import { compareRanks, type Place } from './rank.ts'
import { filtered, isSameRun, lastIn, placesIn, positionIn, type Run, runOf } from './run.ts'

/** Entries of one run when it is made, and when it is cut in two. */
const NEW_RUN = 64
const MAX_RUN = 128

/** Runs may become so much smaller on average before all of them are made anew. */
const MIN_MEAN_RUN = 16

/**
 * A dictionary of many entries, in the order of the subkeys, cut into runs: a change copies one of
 * them, and shares the others with what was before. Whoever writes to a full dictionary makes a
 * replica do little, then, and not go through thousands of entries each time. Never changed.
 */
export class LargeDictionary implements ReadonlyMap<SubkeyId, Entry> {
  readonly #runs: readonly Run[]
  readonly size: number

  /** What the entries and their subkeys take in a record's encoding. */
  readonly sizeBytes: number
  readonly firstExpiration: DHTTime
  readonly lastExpiration: DHTTime

  private constructor(runs: readonly Run[]) {
    let [size, sizeBytes] = [0, 0]
    let [firstExpiration, lastExpiration] = [Number.POSITIVE_INFINITY, 0]

    for (const run of runs) {
      size += run.ids.length
      sizeBytes += run.sizeBytes
      firstExpiration = Math.min(firstExpiration, run.firstExpiration)
      lastExpiration = Math.max(lastExpiration, run.lastExpiration)
    }

    this.#runs = runs.length > 1 + size / MIN_MEAN_RUN ? runsOf(runs.flatMap(placesIn)) : runs
    this.size = size
    this.sizeBytes = sizeBytes
    this.firstExpiration = firstExpiration
    this.lastExpiration = lastExpiration
  }

  /** Of entries in the order of their subkeys. */
  static of(subkeys: ReadonlyMap<SubkeyId, Entry>): LargeDictionary {
    return subkeys instanceof LargeDictionary
      ? subkeys
      : new LargeDictionary(runsOf(Array.from(subkeys, ([id, entry]) => ({ id, entry }))))
  }

  get(id: SubkeyId): Entry | undefined {
    const run = this.#runs[runHolding(this.#runs, id)]

    if (run === undefined) {
      return undefined
    }

    const at = positionIn(run.ids, id)
    return run.ids[at] === id ? run.entries[at] : undefined
  }

  has(id: SubkeyId): boolean {
    return this.get(id) !== undefined
  }

  *entries(): Generator<[SubkeyId, Entry], undefined> {
    for (const { ids, entries } of this.#runs) {
      for (let i = 0; i < ids.length; i++) {
        yield [ids[i] as SubkeyId, entries[i] as Entry]
      }
    }
  }

  *keys(): Generator<SubkeyId, undefined> {
    for (const { ids } of this.#runs) {
      yield* ids
    }
  }

  *values(): Generator<Entry, undefined> {
    for (const { entries } of this.#runs) {
      yield* entries
    }
  }

  [Symbol.iterator](): Generator<[SubkeyId, Entry], undefined> {
    return this.entries()
  }

  forEach(callback: (entry: Entry, id: SubkeyId, map: ReadonlyMap<SubkeyId, Entry>) => void): void {
    for (const [id, entry] of this) {
      callback(entry, id, this)
    }
  }

  /** With these, too; where both have one, the later entry. */
  with(added: ReadonlyMap<SubkeyId, Entry>): LargeDictionary {
    const runs = [...this.#runs]

    for (const [id, entry] of added) {
      const at = runHolding(runs, id)
      runs.splice(at, 1, ...cut(withOne(runs[at] ?? EMPTY, { id, entry })))
    }

    return new LargeDictionary(runs)
  }

  /** Without those that are not to be kept, none of which expires later; itself if there is none. */
  without(
    isKept: (id: SubkeyId, entry: Entry) => boolean,
    untilTime: DHTTime = this.lastExpiration
  ): LargeDictionary {
    if (this.firstExpiration > untilTime) {
      return this
    }

    const runs = this.#runs.map((run) =>
      run.firstExpiration > untilTime ? run : filtered(run, isKept)
    )
    return runs.every((run, i) => run === this.#runs[i])
      ? this
      : new LargeDictionary(runs.filter((run) => run !== undefined))
  }

  /** Without so many of those that rank last (R13). */
  withoutLast(count: number): LargeDictionary {
    const runs = [...this.#runs]

    for (let left = count; left > 0 && runs.length > 0; left--) {
      const { id } = runs.map(lastIn).reduce((a, b) => (compareRanks(a, b) > 0 ? a : b))
      const at = runHolding(runs, id)
      runs.splice(at, 1, ...withoutOne(runs[at] ?? EMPTY, id))
    }

    return new LargeDictionary(runs)
  }

  /** Whether both consist of the same entries, which in runs that they share need not be looked at. */
  isSame(other: LargeDictionary): boolean {
    if (this.size !== other.size) {
      return false
    }

    const at = this.#runs.findIndex((run, i) => !isSameRun(run, other.#runs[i]))
    return at < 0 || isSameSequence(this.#placesFrom(at), other.#placesFrom(at))
  }

  *#placesFrom(at: number): Generator<Place, undefined> {
    for (const run of this.#runs.slice(at)) {
      yield* placesIn(run)
    }
  }
}

const EMPTY: Run = runOf([], [])

/** The index of the run that the subkey is in, or would be. */
function runHolding(runs: readonly Run[], id: SubkeyId): number {
  let [low, high] = [0, runs.length - 1]

  while (low < high) {
    const middle = (low + high + 1) >>> 1

    if ((runs[middle]?.ids[0] ?? '') <= id) {
      low = middle
    } else {
      high = middle - 1
    }
  }

  return low
}

/** Of about the same size. */
function runsOf(places: readonly Place[]): Run[] {
  const runs: Run[] = []
  const size = Math.ceil(places.length / Math.ceil(places.length / NEW_RUN))

  for (let i = 0; i < places.length; i += size) {
    const some = places.slice(i, i + size)
    runs.push(
      runOf(
        some.map(({ id }) => id),
        some.map(({ entry }) => entry)
      )
    )
  }

  return runs
}

function withOne({ ids, entries }: Run, { id, entry }: Place): Run {
  const at = positionIn(ids, id)
  const held = ids[at] === id ? entries[at] : undefined
  return held === undefined
    ? runOf(ids.toSpliced(at, 0, id), entries.toSpliced(at, 0, entry))
    : runOf(ids, entries.with(at, later(held, entry)))
}

function withoutOne({ ids, entries }: Run, id: SubkeyId): Run[] {
  const at = positionIn(ids, id)
  return ids.length === 1 ? [] : [runOf(ids.toSpliced(at, 1), entries.toSpliced(at, 1))]
}

function isSameSequence(a: Generator<Place, undefined>, b: Generator<Place, undefined>): boolean {
  for (const { id, entry } of a) {
    const { value } = b.next()

    if (id !== value?.id || entry !== value.entry) {
      return false
    }
  }

  return true
}

function cut(run: Run): Run[] {
  return run.ids.length <= MAX_RUN ? [run] : runsOf(placesIn(run))
}
