import { type DHTRecord, encodeRecord, isEmpty } from '@waggle/record'
import { encodedSize } from '@waggle/record/replica'
import type { KeyChange } from '../store/store-listeners.ts'
import { MAX_FORWARDED_BYTES } from './limits.ts'

/** A key that this node watches for others. */
export interface ForwardedKey {
  readonly record: DHTRecord

  /** Whether replicas notify of it, or may do so soon. */
  readonly isTold: boolean

  /** Whether anybody does, and enough replicas can be reached. */
  readonly isReachable: boolean

  /** Stops watching it for others. */
  end(): void
}

export interface ForwardedKeysInit {
  /** Keys watched for dependants. Those for remote watchers have places of their own. */
  readonly max: number

  /** Watches a key, and calls back with each change. */
  readonly begin: (
    name: string,
    onChange: (change: KeyChange) => void,
    role: ForwardRole
  ) => ForwardedKey
}

/** The kind of watcher that wants a key forwarded: its replicas have no room for it, or it cannot reach them. */
export type ForwardRole = 'dependant' | 'remote'

/** The keys that this node watches for others. */
export class ForwardedKeys {
  readonly #init: ForwardedKeysInit
  readonly #keys = new Map<string, ForwardedKey>()
  readonly #dependedOn = new Set<string>()

  /** Bytes of the records, by key. */
  readonly #sizes = new Map<string, number>()
  #sizeBytes = 0
  readonly #encodings = new WeakMap<DHTRecord, Uint8Array>()

  constructor(init: ForwardedKeysInit) {
    this.#init = init
  }

  get size(): number {
    return this.#keys.size
  }

  /** Watches a key for others, unless it does already. Returns whether others can rely on it. */
  begin(
    name: string,
    onChange: (change: KeyChange) => void,
    role: ForwardRole = 'dependant'
  ): boolean {
    const key = this.#keys.get(name)

    if (key === undefined) {
      return this.#hasPlace(role) && this.#beginNew(name, onChange, role)
    }

    this.#measure(name)
    return (role === 'remote' ? key.isReachable : key.isTold) && !this.#isTooLarge(name)
  }

  end(name: string): void {
    const key = this.#keys.get(name)
    this.#keys.delete(name)
    this.#dependedOn.delete(name)
    this.#measure(name)
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

  #hasPlace(role: ForwardRole): boolean {
    const isFree = role === 'remote' || this.#dependedOn.size < this.#init.max
    return isFree && this.#sizeBytes <= MAX_FORWARDED_BYTES
  }

  #beginNew(name: string, onChange: (change: KeyChange) => void, role: ForwardRole): true {
    const onMeasured = (change: KeyChange): void => {
      this.#measure(name)
      onChange(change)
    }
    this.#keys.set(name, this.#init.begin(name, onMeasured, role))
    this.#measure(name)
    role === 'dependant' && this.#dependedOn.add(name)
    return true
  }

  /** Whether a key takes more than its share of a memory that is full. Others renew it elsewhere then. */
  #isTooLarge(name: string): boolean {
    const share = MAX_FORWARDED_BYTES / this.#keys.size
    return this.#sizeBytes > MAX_FORWARDED_BYTES && (this.#sizes.get(name) ?? 0) > share
  }

  /** Counts the bytes of what is known of a key by now. */
  #measure(name: string): void {
    const record = this.record(name)
    const bytes = record === undefined ? 0 : encodedSize(record)
    this.#sizeBytes += bytes - (this.#sizes.get(name) ?? 0)

    if (bytes > 0) {
      this.#sizes.set(name, bytes)
    } else {
      this.#sizes.delete(name)
    }
  }
}
