import { type DHTRecord, encodeRecord, isEmpty } from '@waggle/record'

/** A key that this node watches for others. */
export interface ForwardedKey {
  readonly record: DHTRecord

  /** Whether replicas notify of it, or may do so soon. */
  readonly isTold: boolean

  /** Stops watching it for others. */
  end(): void
}

export interface ForwardedKeysInit {
  readonly max: number

  /** Watches a key, and calls back with each record that changes it. */
  readonly begin: (name: string, onChange: (record: DHTRecord) => void) => ForwardedKey
}

/** The keys that this node watches for others, whose replicas have no room for them. */
export class ForwardedKeys {
  readonly #init: ForwardedKeysInit
  readonly #keys = new Map<string, ForwardedKey>()
  readonly #encodings = new WeakMap<DHTRecord, Uint8Array>()

  constructor(init: ForwardedKeysInit) {
    this.#init = init
  }

  get size(): number {
    return this.#keys.size
  }

  /** Watches a key for others, unless it does already. Returns whether others can rely on it. */
  begin(name: string, onChange: (record: DHTRecord) => void): boolean {
    const key = this.#keys.get(name)

    if (key === undefined && this.#keys.size < this.#init.max) {
      this.#keys.set(name, this.#init.begin(name, onChange))
      return true
    }

    return key?.isTold === true
  }

  end(name: string): void {
    const key = this.#keys.get(name)
    this.#keys.delete(name)
    key?.end()
  }

  /** Returns what is known of a key that is watched for others. */
  record(name: string): DHTRecord | undefined {
    const record = this.#keys.get(name)?.record
    return record === undefined || isEmpty(record) ? undefined : record
  }

  /** Returns the bytes of {@link record}. */
  encoded(name: string): Uint8Array | undefined {
    const record = this.record(name)

    if (record === undefined) {
      return undefined
    }

    const bytes = this.#encodings.get(record) ?? encodeRecord(record)
    this.#encodings.set(record, bytes)
    return bytes
  }
}
