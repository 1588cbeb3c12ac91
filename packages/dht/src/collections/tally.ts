/** Counts by key. A key whose count is 0 is not kept. */
export class Tally<K> {
  readonly #counts = new Map<K, number>()

  /** Keys with a count. */
  get size(): number {
    return this.#counts.size
  }

  has(key: K): boolean {
    return this.#counts.has(key)
  }

  get(key: K): number {
    return this.#counts.get(key) ?? 0
  }

  /** Adds to a count, or subtracts from it. */
  add(key: K, by = 1): void {
    const count = this.get(key) + by

    if (count > 0) {
      this.#counts.set(key, count)
    } else {
      this.#counts.delete(key)
    }
  }

  /** Returns the key with the largest count, the first of equals, and its count; 0 if there is none. */
  largest(): [key: K | undefined, count: number] {
    let largest: [K | undefined, number] = [undefined, 0]

    for (const entry of this.#counts) {
      largest = entry[1] > largest[1] ? entry : largest
    }

    return largest
  }

  [Symbol.iterator](): IterableIterator<[K, number]> {
    return this.#counts[Symbol.iterator]()
  }
}
