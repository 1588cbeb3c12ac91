import TinyQueue from 'tinyqueue'
import type { StoredRecord } from './stored-record.ts'

/** Stored records in an order. Replaced and dropped records may stay in it for a while; it never returns them. */
export class RecordQueue {
  readonly #compare: (a: StoredRecord, b: StoredRecord) => number
  #queue: TinyQueue<StoredRecord>

  constructor(compare: (a: StoredRecord, b: StoredRecord) => number) {
    this.#compare = compare
    this.#queue = new TinyQueue([], compare)
  }

  /** The first record that is still stored. */
  get first(): StoredRecord | undefined {
    let first = this.#queue.peek()

    while (first?.isStored === false) {
      this.#queue.pop()
      first = this.#queue.peek()
    }

    return first
  }

  /**
   * Adds a record. `count` bounds the stored records, and so the outdated ones that writes to the same keys leave
   * behind.
   */
  push(record: StoredRecord, count: number): void {
    this.#queue.push(record)

    if (this.#queue.length > 2 * count + 16) {
      const left = [...new Set(this.#queue.data)].filter(({ isStored }) => isStored)
      this.#queue = new TinyQueue(left, this.#compare)
    }
  }
}
