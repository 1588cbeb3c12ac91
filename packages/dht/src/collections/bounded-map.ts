export interface BoundedMapOptions<K, V> {
  /** Entries kept. */
  readonly maxSize: number

  /** Called with each evicted entry. */
  readonly onEvict?: (key: K, value: V) => void
}

/**
 * A map that evicts the entry that was set longest ago when it is full. Setting an entry again
 * makes it the newest; reading does not, unless the reader calls {@link BoundedMap.touch}.
 */
export class BoundedMap<K, V> {
  readonly #entries = new Map<K, V>()
  readonly #options: BoundedMapOptions<K, V>

  /** The newest key, while it has an entry. It is often used again, and need not be moved. */
  #newest: K | undefined

  constructor(options: BoundedMapOptions<K, V>) {
    this.#options = options
  }

  get size(): number {
    return this.#entries.size
  }

  has(key: K): boolean {
    return this.#entries.has(key)
  }

  get(key: K): V | undefined {
    return this.#entries.get(key)
  }

  /** Reads an entry and makes it the newest. */
  touch(key: K): V | undefined {
    const value = this.#entries.get(key)

    if (value !== undefined && key !== this.#newest) {
      this.#move(key, value)
    }

    return value
  }

  /** Makes the entry the newest, and evicts the oldest beyond the limit. */
  set(key: K, value: V): void {
    if (key === this.#newest && this.#entries.has(key)) {
      this.#entries.set(key, value)
      return
    }

    this.#move(key, value)

    if (this.#entries.size > this.#options.maxSize) {
      this.#evictOldest()
    }
  }

  /** Reads an entry, or adds one, and makes it the newest. */
  getOrAdd(key: K, make: () => V): V {
    const known = this.touch(key)

    if (known !== undefined) {
      return known
    }

    const value = make()
    this.set(key, value)
    return value
  }

  delete(key: K): boolean {
    return this.#entries.delete(key)
  }

  clear(): void {
    this.#entries.clear()
  }

  /** Lists the keys, oldest first. */
  keys(): IterableIterator<K> {
    return this.#entries.keys()
  }

  /** Lists the values, oldest first. */
  values(): IterableIterator<V> {
    return this.#entries.values()
  }

  /** Lists the entries, oldest first. */
  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.#entries[Symbol.iterator]()
  }

  #move(key: K, value: V): void {
    this.#entries.delete(key)
    this.#entries.set(key, value)
    this.#newest = key
  }

  #evictOldest(): void {
    for (const [key, value] of this.#entries) {
      this.#entries.delete(key)
      this.#options.onEvict?.(key, value)
      return
    }
  }
}
