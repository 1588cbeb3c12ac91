import type { Found } from '@waggle/dht'
import { machineTimeMs } from '../../peers/machine-time.ts'

/** A write of one value, the only one with its expiration. */
export interface Writing {
  readonly key: string

  /** Undefined for one that deletes. */
  readonly value: string | undefined
  readonly expirationTime: number

  /** When it began, on the machine's steady clock. */
  readonly beganMs: number
}

/** What a read found, against what had been written. */
export type Verdict = 'right' | 'stale' | 'missing' | 'false'

export interface LedgerSizes {
  /** Records that outlive the run, and are never deleted. */
  readonly lasting: number

  /** Records that are deleted, or expire. */
  readonly brief: number

  /** How many seconds these live. */
  readonly briefTtl: number
}

interface Account {
  /** In seconds. */
  readonly ttl: number

  /** What was ever written, by expiration, acknowledged or not: what is not may be there all the same. */
  readonly writings: Map<number, Writing>
  readonly acknowledged: Writing[]
  isBeingWritten: boolean
}

/** Seconds: longer than the whole run. */
const LASTING_TTL = 3600

/** What was written under each key, and what readers must find therefore. */
export class Ledger {
  readonly lasting: readonly string[]
  readonly brief: readonly string[]
  readonly #accounts = new Map<string, Account>()

  constructor({ lasting, brief, briefTtl }: LedgerSizes) {
    this.lasting = this.#open('record', lasting, LASTING_TTL)
    this.brief = this.#open('brief record', brief, briefTtl)
  }

  get keys(): readonly string[] {
    return [...this.#accounts.keys()]
  }

  /** Whether of the brief records nothing may be left, whatever was done to them. */
  get isBriefOver(): boolean {
    const now = Date.now() / 1000
    return this.brief.every((key) =>
      [...this.#account(key).writings.keys()].every((expirationTime) => expirationTime <= now)
    )
  }

  isBrief(key: string): boolean {
    return this.#account(key).ttl < LASTING_TTL
  }

  /** Until when the last acknowledged write under the key lives: a reader finds this one or a later one. */
  acknowledgedUntil(key: string): number {
    return this.#account(key).acknowledged.at(-1)?.expirationTime ?? 0
  }

  /** The writes under the key that were acknowledged, in their order. */
  acknowledged(key: string): readonly Writing[] {
    return this.#account(key).acknowledged
  }

  /** Begins a write; undefined while another one is under way, as their order would not be known. */
  begin(key: string, { isDeletion }: { isDeletion: boolean }): Writing | undefined {
    const account = this.#account(key)

    if (account.isBeingWritten) {
      return undefined
    }

    account.isBeingWritten = true
    const writing = {
      key,
      value: isDeletion ? undefined : `${key}, write ${account.writings.size}`,
      expirationTime: Date.now() / 1000 + account.ttl,
      beganMs: machineTimeMs()
    }
    account.writings.set(writing.expirationTime, writing)
    return writing
  }

  end(writing: Writing, isAcknowledged: boolean): void {
    const account = this.#account(writing.key)
    account.isBeingWritten = false

    if (isAcknowledged) {
      account.acknowledged.push(writing)
    }
  }

  /** What to say of an answer, given what was acknowledged when it was asked for. */
  judge(key: string, found: Found | undefined, acknowledgedUntil: number): Verdict {
    if (found === undefined) {
      return this.#mayBeNothing(key, acknowledgedUntil) ? 'right' : 'missing'
    }

    const { value } = this.#account(key).writings.get(found.expirationTime) ?? {}

    if (value === undefined || value !== found.value) {
      return 'false'
    }

    return found.expirationTime >= acknowledgedUntil ? 'right' : 'stale'
  }

  /** What to say of what a watcher was told last, once nobody writes any more: it may not be out of date, either. */
  judgeLast(key: string, last: Found | undefined): Verdict {
    const verdict = this.judge(key, last, this.acknowledgedUntil(key))
    const isExpired = last !== undefined && last.expirationTime <= Date.now() / 1000
    return verdict === 'right' && isExpired ? 'stale' : verdict
  }

  /** Whether what was acknowledged has expired, or something may have deleted it. */
  #mayBeNothing(key: string, acknowledgedUntil: number): boolean {
    return (
      acknowledgedUntil <= Date.now() / 1000 ||
      [...this.#account(key).writings.values()].some(
        ({ value, expirationTime }) => value === undefined && expirationTime >= acknowledgedUntil
      )
    )
  }

  #open(name: string, count: number, ttl: number): string[] {
    const keys = Array.from({ length: count }, (_, i) => `${name} ${i}`)

    for (const key of keys) {
      this.#accounts.set(key, { ttl, writings: new Map(), acknowledged: [], isBeingWritten: false })
    }

    return keys
  }

  #account(key: string): Account {
    const account = this.#accounts.get(key)

    if (account === undefined) {
      throw new Error(`there is no ${key}`)
    }

    return account
  }
}
