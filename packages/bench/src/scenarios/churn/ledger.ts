import type { Found } from '@waggle/dht'

/** A write of one value, the only one with its expiration. */
export interface Writing {
  readonly key: string
  readonly value: string
  readonly expirationTime: number
}

/** What a read found, against what had been written. */
export type Verdict = 'right' | 'stale' | 'missing' | 'false'

interface Account {
  /** What was ever written, acknowledged or not: what is not may be there all the same. */
  readonly writings: Map<number, string>

  /** Of the last write that was acknowledged. */
  acknowledgedUntil: number
  isBeingWritten: boolean
}

/** What was written under each key, and what readers must find therefore. */
export class Ledger {
  readonly #accounts = new Map<string, Account>()

  constructor(records: number) {
    for (let i = 0; i < records; i++) {
      this.#accounts.set(`record ${i}`, {
        writings: new Map(),
        acknowledgedUntil: 0,
        isBeingWritten: false
      })
    }
  }

  get keys(): string[] {
    return [...this.#accounts.keys()]
  }

  /** Until when the last acknowledged value under the key lives: a reader finds this one or a later one. */
  acknowledgedUntil(key: string): number {
    return this.#account(key).acknowledgedUntil
  }

  /** Begins a write; undefined while another one is under way, as their order would not be known. */
  begin(key: string, ttl: number): Writing | undefined {
    const account = this.#account(key)

    if (account.isBeingWritten) {
      return undefined
    }

    account.isBeingWritten = true
    const expirationTime = Date.now() / 1000 + ttl
    const value = `${key}, write ${account.writings.size}`
    account.writings.set(expirationTime, value)
    return { key, value, expirationTime }
  }

  end({ key, expirationTime }: Writing, isAcknowledged: boolean): void {
    const account = this.#account(key)
    account.isBeingWritten = false

    if (isAcknowledged) {
      account.acknowledgedUntil = expirationTime
    }
  }

  /** What to say of an answer, given what was acknowledged when it was asked for. */
  judge(key: string, found: Found | undefined, acknowledgedUntil: number): Verdict {
    if (found === undefined) {
      return acknowledgedUntil === 0 ? 'right' : 'missing'
    }

    if (this.#account(key).writings.get(found.expirationTime) !== found.value) {
      return 'false'
    }

    return found.expirationTime >= acknowledgedUntil ? 'right' : 'stale'
  }

  #account(key: string): Account {
    const account = this.#accounts.get(key)

    if (account === undefined) {
      throw new Error(`there is no ${key}`)
    }

    return account
  }
}
