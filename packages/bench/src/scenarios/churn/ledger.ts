import type { Seen } from '../../nodes/nodes-main.ts'
import { steadyTimeMs } from '../../processes/usage.ts'

/** A write, the only one under its key with its expiration. */
export interface Write {
  readonly key: string

  /** Undefined for a deletion. */
  readonly value: string | undefined
  readonly expirationTime: number

  /** Start of the write on the machine's steady clock. */
  readonly beganMs: number
}

/** Verdict on an answer, given the writes so far. */
export type Verdict = 'right' | 'stale' | 'missing' | 'false'

interface Account {
  readonly ttl: number

  /** All writes by expiration. An unacknowledged one may be stored all the same. */
  readonly writes: Map<number, Write>
  readonly acknowledged: Write[]
  isBeingWritten: boolean
}

/** Seconds that lasting records live: longer than the run. */
const LASTING_TTL = 3600

/** Records the writes to each key, and so the values that readers must find. */
export class Ledger {
  /** Keys of records that outlive the run and are never deleted. */
  readonly lasting: readonly string[]

  /** Keys of records that expire or are deleted. */
  readonly brief: readonly string[]
  readonly #accounts = new Map<string, Account>()

  constructor({ records, brief, briefTtl }: Record<'records' | 'brief' | 'briefTtl', number>) {
    this.lasting = this.#open('record', records, LASTING_TTL)
    this.brief = this.#open('brief record', brief, briefTtl)
  }

  get keys(): readonly string[] {
    return [...this.lasting, ...this.brief]
  }

  /** Whether every brief record has expired. */
  get isBriefOver(): boolean {
    const writes = this.brief.flatMap((key) => [...this.#account(key).writes.values()])
    return writes.every(({ expirationTime }) => isOver(expirationTime))
  }

  isBrief(key: string): boolean {
    return this.#account(key).ttl < LASTING_TTL
  }

  /** Returns the expiration of the last acknowledged write: a reader finds this write or a later one. */
  acknowledgedUntil(key: string): number {
    return this.#account(key).acknowledged.at(-1)?.expirationTime ?? 0
  }

  /** Returns the acknowledged writes in their order. */
  acknowledged(key: string): readonly Write[] {
    return this.#account(key).acknowledged
  }

  /** Begins a write; returns undefined during another one, as their order would not be known. */
  begin(key: string, { isDeletion }: { isDeletion: boolean }): Write | undefined {
    const account = this.#account(key)

    if (account.isBeingWritten) {
      return undefined
    }

    account.isBeingWritten = true
    const value = isDeletion ? undefined : `${key}, write ${account.writes.size}`
    const expirationTime = Date.now() / 1000 + account.ttl
    const write = { key, value, expirationTime, beganMs: steadyTimeMs() }
    account.writes.set(expirationTime, write)
    return write
  }

  end(write: Write, isAcknowledged: boolean): void {
    const account = this.#account(write.key)
    account.isBeingWritten = false
    account.acknowledged.push(...(isAcknowledged ? [write] : []))
  }

  /** Returns the expiration of the first deletion, acknowledged or not, that beats what expires then. */
  deletedBy(key: string, expirationTime: number): number | undefined {
    const deletions = [...this.#account(key).writes.values()].filter(
      (write) => write.value === undefined && write.expirationTime >= expirationTime
    )
    return deletions[0]?.expirationTime
  }

  /** Judges an answer by the writes that were acknowledged when the read began. */
  judge(key: string, found: Seen | undefined, acknowledgedUntil: number): Verdict {
    const { writes } = this.#account(key)

    if (found === undefined) {
      const isDeleted = [...writes.values()].some(
        ({ value, expirationTime }) => value === undefined && expirationTime >= acknowledgedUntil
      )
      return isDeleted || isOver(acknowledgedUntil) ? 'right' : 'missing'
    }

    const { value } = writes.get(found.expirationTime) ?? {}
    const verdict = found.expirationTime >= acknowledgedUntil ? 'right' : 'stale'
    return value === undefined || value !== found.value ? 'false' : verdict
  }

  /** Judges the last delivery to a watcher after all writes. It must not have expired, either. */
  judgeLast(key: string, last: Seen | undefined): Verdict {
    const verdict = this.judge(key, last, this.acknowledgedUntil(key))
    return verdict === 'right' && last && isOver(last.expirationTime) ? 'stale' : verdict
  }

  #open(name: string, count: number, ttl: number): string[] {
    const keys = Array.from({ length: count }, (_, i) => `${name} ${i}`)

    for (const key of keys) {
      this.#accounts.set(key, { ttl, writes: new Map(), acknowledged: [], isBeingWritten: false })
    }

    return keys
  }

  #account(key: string): Account {
    return this.#accounts.get(key) as Account
  }
}

function isOver(expirationTime: number): boolean {
  return expirationTime <= Date.now() / 1000
}
