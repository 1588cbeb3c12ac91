import type { DHTTime } from '@waggle/record'
import { RecordQueue } from './record-queue.ts'
import type { StoredRecord } from './stored-record.ts'

/** Records in the order in which they, and their parts, expire. */
class ExpirationQueues {
  readonly whole = new RecordQueue((a, b) => a.expirationTime - b.expirationTime)
  /** Records whose parts expire at different times. */
  readonly parts = new RecordQueue((a, b) => a.firstExpiration - b.firstExpiration)

  add(stored: StoredRecord, count: number): void {
    this.whole.push(stored, count)

    if (stored.firstExpiration < stored.expirationTime) {
      this.parts.push(stored, count)
    }
  }
}

/** Says which stored records have expired, and which of them are to be removed. */
export class Expirations {
  readonly #all = new ExpirationQueues()
  /** While removing is suspended: what has been stored since. */
  #recent: ExpirationQueues | undefined

  /** Adds a record. `count` records are stored at most. */
  add(stored: StoredRecord, count: number): void {
    this.#all.add(stored, count)
    this.#recent?.add(stored, count)
  }

  /** The record that expires first, or has expired first. */
  get first(): StoredRecord | undefined {
    return this.#all.whole.first
  }

  /** Returns a record that has expired altogether and is to be removed. */
  expired(now: DHTTime): StoredRecord | undefined {
    const { first } = (this.#recent ?? this.#all).whole
    return first !== undefined && first.expirationTime <= now ? first : undefined
  }

  /** Returns a record of which a part has expired and is to be removed. */
  partlyExpired(now: DHTTime): StoredRecord | undefined {
    const { first } = (this.#recent ?? this.#all).parts
    return first !== undefined && first.firstExpiration <= now ? first : undefined
  }

  /** Removes nothing that is stored now for having expired, until {@link resume}. */
  suspend(): void {
    this.#recent = new ExpirationQueues()
  }

  resume(): void {
    this.#recent = undefined
  }
}
