import { RecordQueue } from './record-queue.ts'
import { OWN, type StoredRecord } from './stored-record.ts'

/** Storage for all peers, and for each of them. */
export interface StorageLimits {
  readonly maxRecords: number
  readonly maxBytes: number
  readonly maxRecordsPerPeer: number
  readonly maxBytesPerPeer: number
}

/** Storage that one peer uses. */
interface Usage {
  records: number
  bytes: number
  level: number

  /** Its records, the first to evict first. */
  queue: RecordQueue | undefined
}

export interface QuotasInit {
  readonly limits: StorageLimits

  /** Returns the proximity of a key to this node, by its record's name. Undefined: all are equally near. */
  readonly nearnessOf: ((name: string) => number) | undefined

  /** The record that expires first of all. */
  readonly firstToExpire: () => StoredRecord | undefined

  /** All records of the store. */
  readonly all: () => Iterable<StoredRecord>
}

/** Powers of two by which peers' usage is ranked. */
const LEVELS = 32

/**
 * Counts each peer's stored bytes, and decides which records a full store evicts. Eviction starts with the heaviest
 * writers, so a flood evicts its sender's records. Peers are ranked by their part of the store in powers of two,
 * and a writer evicts its own records unless others rank above it. Of one peer's records, those farthest from this
 * node go first, and of these the first to expire.
 */
export class Quotas {
  readonly #init: QuotasInit
  readonly #peers = new Map<string, Usage>()

  /** Peers with records to evict, by rank. Peers that have only added to others' records have none. */
  readonly #levels: readonly Set<Usage>[] = Array.from({ length: LEVELS }, () => new Set())

  /** Whether queues exist. They take memory, and are built when the store is full for the first time. */
  #isQueueing = false

  constructor(init: QuotasInit) {
    this.#init = init
  }

  /** Peers that store anything here. */
  get size(): number {
    return this.#peers.size
  }

  add(stored: StoredRecord): void {
    this.#count(stored, 1)

    if (this.#isQueueing) {
      this.#enqueue(stored)
    }
  }

  delete(stored: StoredRecord): void {
    this.#count(stored, -1)
  }

  /** Whether a peer exceeds its quota. */
  isOverQuota(writer: string): boolean {
    const { maxRecordsPerPeer, maxBytesPerPeer } = this.#init.limits
    const usage = this.#peers.get(writer)
    return (
      writer !== OWN &&
      usage !== undefined &&
      (usage.records > maxRecordsPerPeer || usage.bytes > maxBytesPerPeer)
    )
  }

  /**
   * Returns the record to evict first so that the peer can store more. Undefined if only the record to be stored is
   * left: additions to others' records are not its own to evict.
   */
  nextToEvict(writer: string): StoredRecord | undefined {
    if (!this.#isSingle) {
      this.#startQueueing()
    }

    const own = this.#peers.get(writer)
    const top = this.#topLevel()

    if (own !== undefined && (own.level >= top || this.isOverQuota(writer))) {
      return this.#firstOf(own)
    }

    const [largest] = this.#levels[top] ?? []
    return largest && this.#firstOf(largest)
  }

  /** Whether {@link nextToEvict} would return a new record once it is stored. Of equals, the older one stays. */
  isNextToEvict(stored: StoredRecord): boolean {
    const own = this.#peers.get(stored.writer)

    if (own === undefined || own.level < this.#topLevel()) {
      return false
    }

    const first = this.#firstOf(own)
    stored.nearness ??= this.#nearnessOf(stored)
    return first !== undefined && compareEviction(stored, first) <= 0
  }

  /** Whether there is only one writer, as in a cache, which needs no queues besides that of expirations. */
  get #isSingle(): boolean {
    return this.#init.nearnessOf === undefined && this.#peers.size === 1
  }

  #nearnessOf({ name }: StoredRecord): number {
    return this.#init.nearnessOf?.(name) ?? 0
  }

  #topLevel(): number {
    return this.#levels.findLastIndex(({ size }) => size > 0)
  }

  /** Adds a record to its peers' usage, or subtracts it. */
  #count({ writer, sizeBytes, shares }: StoredRecord, sign: 1 | -1): void {
    let ownBytes = sizeBytes

    for (const share of shares) {
      ownBytes -= share.bytes
      this.#change(share.writer, 0, sign * share.bytes)
    }

    this.#change(writer, sign, sign * ownBytes)
  }

  #change(writer: string, records: number, bytes: number): void {
    const usage = this.#usageOf(writer)
    usage.records += records
    usage.bytes += bytes

    if (usage.records === 0 && usage.bytes === 0) {
      this.#levels[usage.level]?.delete(usage)
      this.#peers.delete(writer)
    } else {
      this.#rank(usage)
    }
  }

  #usageOf(writer: string): Usage {
    const known = this.#peers.get(writer)

    if (known !== undefined) {
      return known
    }

    const usage: Usage = { records: 0, bytes: 0, level: 0, queue: undefined }
    this.#peers.set(writer, usage)
    return usage
  }

  #rank(usage: Usage): void {
    const { maxRecords, maxBytes } = this.#init.limits
    const part = Math.max(usage.records / maxRecords, usage.bytes / maxBytes)
    const level = Math.min(Math.max(LEVELS - 2 + Math.floor(Math.log2(part)), 0), LEVELS - 1)

    if (level !== usage.level || usage.records === 0) {
      this.#levels[usage.level]?.delete(usage)
      usage.level = level
    }

    if (usage.records > 0) {
      this.#levels[level]?.add(usage)
    }
  }

  #startQueueing(): void {
    if (!this.#isQueueing) {
      this.#isQueueing = true

      for (const stored of this.#init.all()) {
        this.#enqueue(stored)
      }
    }
  }

  #enqueue(stored: StoredRecord): void {
    const usage = this.#usageOf(stored.writer)
    stored.nearness ??= this.#nearnessOf(stored)
    usage.queue ??= new RecordQueue(compareEviction)
    usage.queue.push(stored, usage.records)
  }

  #firstOf(usage: Usage): StoredRecord | undefined {
    return this.#isSingle ? this.#init.firstToExpire() : usage.queue?.first
  }
}

/** Negative if the first record is evicted before the second. */
function compareEviction(a: StoredRecord, b: StoredRecord): number {
  return (a.nearness ?? 0) - (b.nearness ?? 0) || a.expirationTime - b.expirationTime
}
