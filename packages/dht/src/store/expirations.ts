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

/** Determines which stored records have expired, and which of them to remove. */
export class Expirations {
  readonly #all = new ExpirationQueues()
  /** The records stored since removal was suspended. */
  #recent: ExpirationQueues | undefined

  /** Adds a record. `count` records are stored at most. */
  add(stored: StoredRecord, count: number): void {
    this.#all.add(stored, count)
    this.#recent?.add(stored, count)
  }

  /** The record with the earliest expiration, past or future. */
  get first(): StoredRecord | undefined {
    return this.#all.whole.first
  }

  /** Returns a fully expired record to remove. */
  expired(now: DHTTime): StoredRecord | undefined {
    const { first } = (this.#recent ?? this.#all).whole
    return first !== undefined && first.expirationTime <= now ? first : undefined
  }

  /** Returns a partly expired record to prune. */
  partlyExpired(now: DHTTime): StoredRecord | undefined {
    const { first } = (this.#recent ?? this.#all).parts
    return first !== undefined && first.firstExpiration <= now ? first : undefined
  }

  /** Suspends the removal of records that are stored now, until {@link resume}. */
  suspend(): void {
    this.#recent = new ExpirationQueues()
  }

  resume(): void {
    this.#recent = undefined
  }
}
