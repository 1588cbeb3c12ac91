import TinyQueue from 'tinyqueue'
import type { Held } from './held.ts'

/** What is held, in an order. What has been replaced or dropped since may stay in it for a while, and is never given out. */
export class HeldQueue {
  readonly #compare: (a: Held, b: Held) => number
  #queue: TinyQueue<Held>

  constructor(compare: (a: Held, b: Held) => number) {
    this.#compare = compare
    this.#queue = new TinyQueue([], compare)
  }

  /** What is first of all that is held. */
  get first(): Held | undefined {
    let first = this.#queue.peek()

    while (first?.isHeld === false) {
      this.#queue.pop()
      first = this.#queue.peek()
    }

    return first
  }

  /** Keeps itself from growing with writes to the same keys, accepted or not, when told how many are held at most. */
  push(held: Held, count: number): void {
    this.#queue.push(held)

    if (this.#queue.length > 2 * count + 16) {
      const left = [...new Set(this.#queue.data)].filter(({ isHeld }) => isHeld)
      this.#queue = new TinyQueue(left, this.#compare)
    }
  }
}
