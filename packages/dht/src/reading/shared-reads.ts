import type { DHTRecord, DHTTime, SubkeyId } from '@waggle/record'
import { NEVER_FRESH } from '../store/stored-record.ts'
import type { CancellationToken } from '../timing/cancellation.ts'
import { type FreshRecord, isSufficient, type Reading, type ReadOptions } from './reading.ts'
import type { Replicas } from './replicas.ts'

export interface SharedReadsInit {
  readonly replicas: Replicas
  readonly clock: () => DHTTime

  /** Adds the record that this node knows by now to a result, for a reader. */
  readonly complete: (key: Uint8Array, record: DHTRecord, subkey: SubkeyId | undefined) => DHTRecord

  /** Called when a search has asked peers and ended, of a key or of one of its subkeys. */
  readonly onReading: (key: Uint8Array, reading: Reading, subkey: SubkeyId | undefined) => void
}

/**
 * Shares one search per key, or subkey, among all readers: Hivemind's reuse_get_requests. A plain get joins the
 * search in flight, and leaves it as soon as the search has found a record that is good enough. A `latest`
 * get joins only before the search begins, because a search that has begun could miss what the caller has
 * stored since. All readers that come too late share the next search.
 */
export class SharedReads {
  readonly #init: SharedReadsInit
  readonly #searches = new Map<string, Search>()

  constructor(init: SharedReadsInit) {
    this.#init = init
  }

  /** Keys and subkeys being searched for. */
  get size(): number {
    return this.#searches.size
  }

  /** @param name of the place: what is wanted of the key */
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
    const search = new Search(key, readers, this.#init)
    this.#searches.set(name, search)

    // Reads of the same moment share the search.
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
      if (reading.end === 'enough' || reading.end === 'whole') {
        this.#init.onReading(key, reading, search.subkey)
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
  /** Readers that wait for the next search. */
  readonly waiting: Reader[] = []
  readonly #key: Uint8Array
  #readers: Reader[]
  readonly #init: SharedReadsInit
  readonly #subkey: SubkeyId | undefined
  #isBegun = false
  #isLatest = false
  #found: FreshRecord | undefined

  constructor(key: Uint8Array, readers: Reader[], init: SharedReadsInit) {
    this.#key = key
    this.#readers = readers
    this.#init = init
    this.#subkey = readers[0]?.options.subkey
  }

  get cancellation(): CancellationToken {
    return this
  }

  /** Whether all readers have cancelled. */
  get isCancelled(): boolean {
    for (const { options } of this.#readers) {
      if (!options.cancellation.isCancelled) {
        return false
      }
    }

    return true
  }

  /** Whether all readers are bulk calls, which let others go first. */
  get isBulk(): boolean {
    return this.#readers.every(({ options }) => options.cancellation.isBulk)
  }

  /** Fixes what the search has to find. From now on it may miss new writes. */
  begin(): void {
    this.#isBegun = true
    this.#isLatest = this.#readers.some(({ options }) => options.latest)
  }

  /** All readers want the same. */
  get subkey(): SubkeyId | undefined {
    return this.#subkey
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

  get minFreshMs(): number {
    let most = NEVER_FRESH

    for (const { options } of this.#readers) {
      most = Math.max(most, options.minFreshMs ?? NEVER_FRESH)
    }

    return most
  }

  /** Adds a reader to this search, or to the next one if it comes too late. */
  admit(reader: Reader, now: DHTTime): void {
    if (this.#isBegun && reader.options.latest) {
      this.waiting.push(reader)
      return
    }

    this.#readers.push(reader)

    if (this.#found !== undefined) {
      const record = this.#complete(this.#found.record)
      this.#release({ ...this.#found, record }, now)
    }
  }

  onRecord(found: FreshRecord): void {
    this.#found = found
    this.#release(found, this.#init.clock())
  }

  /** Answers all readers. A reader that joined late and needs more waits for the next search. */
  end(reading: Reading, now: DHTTime): void {
    for (const reader of this.#readers) {
      const isWhole =
        reading.end === 'whole' && reading.freshMs >= (reader.options.minFreshMs ?? NEVER_FRESH)

      if (isWhole || isSufficient(reading, reader.options, now)) {
        reader.resolve(this.#complete(reading.record))
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

  /** Answers the readers for whom the record found so far is good enough. */
  #release(found: FreshRecord, now: DHTTime): void {
    const left: Reader[] = []

    for (const reader of this.#readers) {
      if (isSufficient(found, reader.options, now)) {
        reader.resolve(found.record)
      } else {
        left.push(reader)
      }
    }

    this.#readers = left
  }

  #complete(record: DHTRecord): DHTRecord {
    return this.#init.complete(this.#key, record, this.#subkey)
  }
}
