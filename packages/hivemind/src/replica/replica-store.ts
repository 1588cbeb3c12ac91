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

/** Bytes that a record takes beside its entries. */
const RECORD_BYTES = 128

/** Entries of a queue that may be outdated before it is made anew. */
const MAX_OUTDATED = 64

/** What one peer has stored. */
class Writer {
  /** The first to expire in front. What was replaced or removed stays until its turn comes. */
  queue: TinyQueue<Held> = queueOf([])
  bytes = 0
  records = 0
}

function queueOf(held: Held[]): TinyQueue<Held> {
  return new TinyQueue(held, (a, b) => a.expirationTime - b.expirationTime)
}

/**
 * Records by their keys, within limits. When there is no room, whoever has stored most loses what
 * expires first.
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

  /** What is live under a key. */
  get(key: string): HivemindRecord {
    const held = this.#records.get(key)
    return held === undefined ? EMPTY_RECORD : prune(held.record, this.#init.clock())
  }

  /** The keys that are held, in no order. What is removed meanwhile may be missed. */
  keys(): IterableIterator<string> {
    return this.#records.keys()
  }

  /** Puts a record in the place of what was held. False if there is no room for it. */
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

  /** Removes what has expired, and says what it was. */
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

  /** Who has most bytes; of records alone, all count alike. */
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
