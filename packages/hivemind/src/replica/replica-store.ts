import TinyQueue from 'tinyqueue'
import {
  EMPTY_RECORD,
  type HivemindRecord,
  isEmpty,
  latestExpiration,
  prune
} from '../record/record.ts'
import { entryBytes } from './limits.ts'

export interface ReplicaStoreInit {
  readonly maxRecords: number
  readonly maxBytes: number

  /** DHT time. */
  readonly clock: () => number
}

interface Held {
  readonly key: string
  readonly record: HivemindRecord
  readonly bytes: number
  readonly expirationTime: number
  readonly writer: string
}

/** Bytes of a record, besides its entries. */
const RECORD_BYTES = 128

/** Outdated entries of a queue above which it is rebuilt. */
const MAX_OUTDATED = 64

/** One peer's stored records. */
class Writer {
  /** The first to expire in front. Replaced and removed records stay until they reach the front. */
  queue: TinyQueue<Held> = queueOf([])
  bytes = 0
  records = 0
}

function queueOf(held: Held[]): TinyQueue<Held> {
  return new TinyQueue(held, (a, b) => a.expirationTime - b.expirationTime)
}

/**
 * Records by their keys, within limits. When the store is full, the heaviest writer loses the record that expires
 * first.
 */
export class ReplicaStore {
  readonly #init: ReplicaStoreInit
  readonly #records = new Map<string, Held>()
  readonly #writers = new Map<string, Writer>()
  #bytes = 0

  constructor(init: ReplicaStoreInit) {
    this.#init = init
  }

  get size(): number {
    return this.#records.size
  }

  get bytes(): number {
    return this.#bytes
  }

  /** The live record of a key. */
  get(key: string): HivemindRecord {
    const held = this.#records.get(key)
    return held === undefined ? EMPTY_RECORD : prune(held.record, this.#init.clock())
  }

  /** The keys, in no particular order. May omit keys that are removed meanwhile. */
  keys(): IterableIterator<string> {
    return this.#records.keys()
  }

  /** Replaces the record of a key. Returns false if there is no room for it. */
  put(key: string, record: HivemindRecord, writer: string): boolean {
    this.#delete(this.#records.get(key))

    if (isEmpty(record)) {
      return true
    }

    const held = {
      ...{ key, record, writer },
      bytes: bytesOfRecord(record),
      expirationTime: latestExpiration(record)
    }
    this.#add(held)
    this.#makeRoom()
    return this.#records.get(key) === held
  }

  delete(key: string): void {
    this.#delete(this.#records.get(key))
  }

  /** Removes expired records and returns their keys. */
  sweep(): string[] {
    const now = this.#init.clock()
    const swept: string[] = []

    for (const { queue } of this.#writers.values()) {
      for (let first = queue.peek(); isOver(first, now); first = queue.peek()) {
        const held = queue.pop()

        if (held !== undefined && this.#records.get(held.key) === held) {
          this.#delete(held)
          swept.push(held.key)
        }
      }
    }

    return swept
  }

  #add(held: Held): void {
    const writer = this.#writers.get(held.writer) ?? new Writer()
    this.#writers.set(held.writer, writer)
    this.#records.set(held.key, held)
    this.#bytes += held.bytes
    writer.bytes += held.bytes
    writer.records++
    writer.queue.push(held)

    if (writer.queue.length > 2 * writer.records + MAX_OUTDATED) {
      writer.queue = queueOf(writer.queue.data.filter((one) => this.#records.get(one.key) === one))
    }
  }

  #delete(held: Held | undefined): void {
    const writer = held && this.#writers.get(held.writer)

    if (held === undefined || writer === undefined) {
      return
    }

    this.#records.delete(held.key)
    this.#bytes -= held.bytes
    writer.bytes -= held.bytes
    writer.records--

    if (writer.records === 0) {
      this.#writers.delete(held.writer)
    }
  }

  #makeRoom(): void {
    const { maxRecords, maxBytes } = this.#init

    while (this.#records.size > maxRecords || this.#bytes > maxBytes) {
      const queue = this.#heaviest()?.queue
      const first = queue?.pop()

      if (first === undefined) {
        return
      }

      if (this.#records.get(first.key) === first) {
        this.#delete(first)
      }
    }
  }

  /** The writer with the most bytes. When the number of records is the limit, all count alike. */
  #heaviest(): Writer | undefined {
    let heaviest: Writer | undefined

    for (const writer of this.#writers.values()) {
      if (heaviest === undefined || writer.bytes > heaviest.bytes) {
        heaviest = writer
      }
    }

    return heaviest
  }
}

function isOver(held: Held | undefined, now: number): boolean {
  return held !== undefined && held.expirationTime <= now
}

function bytesOfRecord({ plain, subkeys }: HivemindRecord): number {
  let bytes = RECORD_BYTES + (plain === undefined ? 0 : entryBytes(undefined, plain.value))

  for (const [subkey, { value }] of subkeys) {
    bytes += entryBytes(subkey, value)
  }

  return bytes
}
