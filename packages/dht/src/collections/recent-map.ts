import { BoundedMap } from './bounded-map.ts'

export interface RecentMapOptions<K, V> {
  /** Entries kept. */
  readonly maxSize: number

  /** Milliseconds for which an entry counts. */
  readonly maxAgeMs: number

  /** Called with each entry that is evicted because there are too many. */
  readonly onEvict?: (key: K, value: V) => void

  /** Milliseconds of a monotonic clock. */
  readonly nowMs?: () => number
}

interface Recent<V> {
  readonly value: V
  readonly untilMs: number
}

/** A bounded map whose entries count for a time only. They stay until they are replaced, deleted or evicted. */
export class RecentMap<K, V extends object | string | number | boolean> {
  readonly #entries: BoundedMap<K, Recent<V>>
  readonly #maxAgeMs: number
  readonly #nowMs: () => number

  constructor({ maxSize, maxAgeMs, onEvict, nowMs }: RecentMapOptions<K, V>) {
    this.#maxAgeMs = maxAgeMs
    this.#nowMs = nowMs ?? (() => performance.now())
    this.#entries = new BoundedMap({
      maxSize,
      ...(onEvict && { onEvict: (key: K, { value }: Recent<V>) => onEvict(key, value) })
    })
  }

  /** Entries, those that no longer count included. */
  get size(): number {
    return this.#entries.size
  }

  has(key: K): boolean {
    return this.get(key) !== undefined
  }

  get(key: K): V | undefined {
    const entry = this.#entries.get(key)
    return entry !== undefined && this.#nowMs() < entry.untilMs ? entry.value : undefined
  }

  /** Sets an entry, which counts from now on. */
  set(key: K, value: V): void {
    this.#entries.set(key, { value, untilMs: this.#nowMs() + this.#maxAgeMs })
  }

  delete(key: K): boolean {
    return this.#entries.delete(key)
  }
}
