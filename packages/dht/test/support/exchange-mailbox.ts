/** A queue whose readers wait for the next item. */
export class Mailbox<T> {
  readonly #items: T[] = []
  readonly #waiting: ((item: T) => void)[] = []

  /** Items that no reader has taken yet. */
  get size(): number {
    return this.#items.length
  }

  push(item: T): void {
    const next = this.#waiting.shift()

    if (next === undefined) {
      this.#items.push(item)
    } else {
      next(item)
    }
  }

  /** Takes the oldest item, as soon as there is one. */
  async next(): Promise<T> {
    const [first] = this.#items.splice(0, 1)

    if (first !== undefined) {
      return first
    }

    const { promise, resolve } = Promise.withResolvers<T>()
    this.#waiting.push(resolve)
    return promise
  }
}
