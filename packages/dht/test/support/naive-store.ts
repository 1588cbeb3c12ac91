import { apply, type DHTRecord, EMPTY_RECORD, encodeRecord, isEmpty } from '@waggle/record'
import { lastExpiration, prune } from '@waggle/record/replica'

export interface NaiveLimits {
  readonly maxRecords: number
  readonly maxBytes: number
}

/**
 * A plain model of the record store, which counts and sorts everything anew each time. No two records may expire at
 * the same moment, because their order would be undefined.
 */
export class NaiveStore {
  #records = new Map<number, DHTRecord>()
  readonly #limits: NaiveLimits
  readonly #keyBytes: (key: number) => number

  constructor(limits: NaiveLimits, keyBytes: (key: number) => number) {
    this.#limits = limits
    this.#keyBytes = keyBytes
  }

  apply(key: number, write: DHTRecord, now: number): boolean {
    const before = this.get(key, now)
    const { isAccepted, record } = apply(before, write, { now })

    if (!isAccepted || record === before) {
      return isAccepted
    }

    const after = new Map(this.#records).set(key, record)

    while (after.size > this.#limits.maxRecords || this.#bytesOf(after) > this.#limits.maxBytes) {
      after.delete(firstToExpire(after))
    }

    if (!after.has(key)) {
      return false
    }

    this.#records = after
    return true
  }

  sweep(now: number): void {
    const left = [...this.#records].map(([key, record]) => [key, prune(record, now)] as const)
    this.#records = new Map(left.filter(([, record]) => !isEmpty(record)))
  }

  get(key: number, now: number): DHTRecord {
    return prune(this.#records.get(key) ?? EMPTY_RECORD, now)
  }

  get records(): number {
    return this.#records.size
  }

  get bytes(): number {
    return this.#bytesOf(this.#records)
  }

  #bytesOf(records: ReadonlyMap<number, DHTRecord>): number {
    return [...records].reduce(
      (sum, [key, record]) => sum + this.#keyBytes(key) + encodeRecord(record).length,
      0
    )
  }
}

function firstToExpire(records: ReadonlyMap<number, DHTRecord>): number {
  const [first] = [...records].sort(([, a], [, b]) => lastExpiration(a) - lastExpiration(b))
  return (first as [number, DHTRecord])[0]
}
