import type { DHTRecord, DHTTime } from '@waggle/record'
import type { Wanted } from '../interface.ts'
import {
  isSufficient,
  type Reading,
  type ReadOptions,
  type Replicas
} from '../replicas/replicas.ts'

export interface SharedReadsInit {
  readonly replicas: Replicas
  readonly clock: () => DHTTime

  /** A search has ended. */
  readonly onReading: (key: Uint8Array, reading: Reading) => void
}

/**
 * One search a key at a time, whoever asks: Hivemind's reuse_get_requests. A get that takes any
 * answer joins the search under way, and leaves it as soon as what has been found is good enough
 * for it. A `latest` one joins only before the first question is asked, or it could miss what its
 * caller has stored since; otherwise all that wait share the next search.
 */
export class SharedReads {
  readonly #init: SharedReadsInit
  readonly #searches = new Map<string, Search>()

  constructor(init: SharedReadsInit) {
    this.#init = init
  }

  /** How many keys are being searched for. */
  get size(): number {
    return this.#searches.size
  }

  read(name: string, key: Uint8Array, options: ReadOptions): Promise<DHTRecord> {
    return new Promise((resolve, reject) => {
      this.#join(name, key, { options, resolve, reject })
    })
  }

  #join(name: string, key: Uint8Array, reader: Reader): void {
    const search = this.#searches.get(name)

    if (search === undefined) {
      this.#search(name, key, [reader])
    } else if (!search.admit(reader, this.#init.clock())) {
      search.waiting.push(reader)
    }
  }

  #search(name: string, key: Uint8Array, readers: Reader[]): void {
    const search = new Search(readers, this.#init.clock)
    this.#searches.set(name, search)

    void this.#run(key, search).then(() => this.#next(name, key, search.waiting))
  }

  async #run(key: Uint8Array, search: Search): Promise<void> {
    try {
      const reading = await this.#init.replicas.read(key, search)

      if (!search.isGivenUp) {
        this.#init.onReading(key, reading)
      }

      search.end(({ resolve }) => resolve(reading.record))
    } catch (error) {
      search.end(({ reject }) => reject(error))
    }
  }

  #next(name: string, key: Uint8Array, waiting: Reader[]): void {
    this.#searches.delete(name)
    const readers = waiting.filter(({ options }) => options.wanted.isWanted)

    if (readers.length > 0) {
      this.#search(name, key, readers)
    }
  }
}

interface Reader {
  readonly options: ReadOptions
  readonly resolve: (record: DHTRecord) => void
  readonly reject: (error: unknown) => void
}

/** A search, as demanding as the most demanding of its readers. */
class Search implements ReadOptions {
  readonly wanted: Wanted
  /** Those that came too late for this one. */
  readonly waiting: Reader[] = []
  readonly #readers: Set<Reader>
  readonly #clock: () => DHTTime
  #isLatest: boolean
  #isBegun = false
  #found: DHTRecord | undefined

  constructor(readers: Iterable<Reader>, clock: () => DHTTime) {
    this.#readers = new Set(readers)
    this.#clock = clock
    this.wanted = wantedBy(this.#readers, this.waiting)
    this.#isLatest = [...this.#readers].some(({ options }) => options.latest)
    // No question is asked before the running task has ended.
    queueMicrotask(() => {
      this.#isBegun = true
    })
  }

  get latest(): boolean {
    return this.#isLatest
  }

  get sufficientExpirationTime(): DHTTime {
    let most = 0

    for (const { options } of this.#readers) {
      most = Math.max(most, options.sufficientExpirationTime ?? 0)
    }

    return most
  }

  /** Whether it ended for want of readers, not of answers. */
  get isGivenUp(): boolean {
    return this.#readers.size > 0 && !this.wanted.isWanted
  }

  /** Whether the reader can share this search. */
  admit(reader: Reader, now: DHTTime): boolean {
    const { latest = false } = reader.options

    if (latest && this.#isBegun) {
      return false
    }

    this.#isLatest ||= latest
    this.#readers.add(reader)
    this.#release(now)
    return true
  }

  onRecord(record: DHTRecord): void {
    this.#found = record
    this.#release(this.#clock())
  }

  end(settle: (reader: Reader) => void): void {
    for (const reader of this.#readers) {
      settle(reader)
    }

    this.#readers.clear()
  }

  /** Lets those go that need no more than what was found. */
  #release(now: DHTTime): void {
    for (const reader of this.#found === undefined ? [] : this.#readers) {
      if (this.#found !== undefined && isSufficient(this.#found, reader.options, now)) {
        this.#readers.delete(reader)
        reader.resolve(this.#found)
      }
    }
  }
}

function wantedBy(...groups: readonly Iterable<Reader>[]): Wanted {
  return {
    get isWanted() {
      for (const readers of groups) {
        for (const { options } of readers) {
          if (options.wanted.isWanted) {
            return true
          }
        }
      }

      return false
    }
  }
}
