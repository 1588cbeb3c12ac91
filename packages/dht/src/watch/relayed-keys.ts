import { type DHTRecord, encodeRecord, isEmpty } from '@waggle/record'
import { MAX_RELAYED_KEYS } from './limits.ts'

/** A key that this node watches. */
export interface RelayedKey {
  readonly record: DHTRecord

  /** Whether peers notify of it, or may do so soon. */
  readonly isTold: boolean

  /** Ends what watches it for others. */
  end(): void
}

/** The keys that this node watches for others. */
export class RelayedKeys {
  readonly #keys = new Map<string, RelayedKey>()
  readonly #begin: (name: string) => RelayedKey

  constructor(begin: (name: string) => RelayedKey) {
    this.#begin = begin
  }

  /** Keys that are watched for others. */
  get size(): number {
    return this.#keys.size
  }

  has(name: string): boolean {
    return this.#keys.has(name)
  }

  /** Watches a key for others, and says whether it can. */
  begin(name: string): boolean {
    const key = this.#keys.get(name)

    if (key !== undefined) {
      return key.isTold
    }

    if (this.#keys.size === MAX_RELAYED_KEYS) {
      return false
    }

    this.#keys.set(name, this.#begin(name))
    return true
  }

  end(name: string): void {
    const key = this.#keys.get(name)
    this.#keys.delete(name)
    key?.end()
  }

  /** Returns the bytes of what is known of a key, if it is watched for others. */
  encoded(name: string): Uint8Array | undefined {
    const record = this.#keys.get(name)?.record
    return record === undefined || isEmpty(record) ? undefined : encodeRecord(record)
  }
}
