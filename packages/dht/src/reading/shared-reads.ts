import type { DHTRecord, DHTTime } from '@waggle/record'
import type { CancellationToken } from '../timing/cancellation.ts'
import { isSufficient, type Reading, type ReadOptions } from './reading.ts'
import type { Replicas } from './replicas.ts'

export interface SharedReadsInit {
  readonly replicas: Replicas
  readonly clock: () => DHTTime

  /** A search has ended. */
  readonly onReading: (key: Uint8Array, reading: Reading) => void
}

/**
 * One search a key at a time, whoever asks: Hivemind's reuse_get_requests. A get that takes any
 * answer joins the search under way, and leaves it as soon as what has been found is good enough
 * for it. A `latest` one joins only before the search begins, or it could miss what its caller has
 * stored since; otherwise all that wait share the next search.
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
    } else {
      search.admit(reader, this.#init.clock())
    }
  }

  #search(name: string, key: Uint8Array, readers: Reader[]): void {
    const search = new Search(readers, this.#init.clock)
    this.#searches.set(name, search)

    // What is asked for in the same moment is to be one search.
    queueMicrotask(() => {
      search.begin()
      this.#init.replicas.read(key, search).then(
        (reading) => this.#end(name, key, search, reading),
        (error: unknown) => this.#fail(name, key, search, error)
      )
    })
  }

  #end(name: string, key: Uint8Array, search: Search, reading: Reading): void {
    try {
      if (reading.end !== 'given up') {
        this.#init.onReading(key, reading)
      }

      search.end(reading, this.#init.clock())
      this.#next(name, key, search)
    } catch (error) {
      this.#fail(name, key, search, error)
    }
  }

  #fail(name: string, key: Uint8Array, search: Search, error: unknown): void {
    search.fail(error)
    this.#next(name, key, search)
  }

  #next(name: string, key: Uint8Array, { waiting }: Search): void {
    this.#searches.delete(name)
    const readers = waiting.filter(({ options }) => !options.cancellation.isCancelled)

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
class Search implements ReadOptions, CancellationToken {
  /** Those that came too late for this one. */
  readonly waiting: Reader[] = []
  #readers: Reader[]
  readonly #clock: () => DHTTime
  #isBegun = false
  #isLatest = false
  #found: DHTRecord | undefined

  constructor(readers: Reader[], clock: () => DHTTime) {
    this.#readers = readers
    this.#clock = clock
  }

  get cancellation(): CancellationToken {
    return this
  }

  /** True once none of its readers waits. */
  get isCancelled(): boolean {
    for (const { options } of this.#readers) {
      if (!options.cancellation.isCancelled) {
        return false
      }
    }

    return true
  }

  /** Whether all of its readers let others pass. */
  get isBulk(): boolean {
    return this.#readers.every(({ options }) => options.cancellation.isBulk)
  }

  /** From now on it knows what it has to find, and may miss what is stored. */
  begin(): void {
    this.#isBegun = true
    this.#isLatest = this.#readers.some(({ options }) => options.latest)
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

  /** Lets the reader share this search, or else wait for the next one. */
  admit(reader: Reader, now: DHTTime): void {
    if (this.#isBegun && reader.options.latest) {
      this.waiting.push(reader)
      return
    }

    this.#readers.push(reader)
    this.#release(now)
  }

  onRecord(record: DHTRecord): void {
    this.#found = record
    this.#release(this.#clock())
  }

  /** Those that came when it had found enough for the others may need another one. */
  end({ record, end }: Reading, now: DHTTime): void {
    for (const reader of this.#readers) {
      if (end === 'whole' || isSufficient(record, reader.options, now)) {
        reader.resolve(record)
      } else {
        this.waiting.push(reader)
      }
    }
  }

  fail(error: unknown): void {
    for (const { reject } of this.#readers) {
      reject(error)
    }
  }

  /** Lets those go that need no more than what was found. */
  #release(now: DHTTime): void {
    const found = this.#found

    if (found === undefined) {
      return
    }

    const left: Reader[] = []

    for (const reader of this.#readers) {
      if (isSufficient(found, reader.options, now)) {
        reader.resolve(found)
      } else {
        left.push(reader)
      }
    }

    this.#readers = left
  }
}
