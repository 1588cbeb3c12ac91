import { MAX_TIMER_MS } from './deadline.ts'
import { onceHeard } from './held-up.ts'

export interface DelayQueueInit<T> {
  readonly delayMs: number

  /** When the item's delay began, in ms of the process's clock. */
  readonly beganAtMs: (item: T) => number

  /** Whether the item is still waiting: one that is not is forgotten without a word. */
  readonly isPending: (item: T) => boolean

  readonly onDue: (item: T) => void
}

/**
 * Items that fall due after the same delay each. They leave in the order in which they came, so one
 * timer serves all: thousands of requests a second would spend more on timers than on anything else.
 */
export class DelayQueue<T> {
  readonly #init: DelayQueueInit<T>
  #queue: T[] = []
  /** Where the queue begins: taking off the front of an array would move all of it. */
  #head = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(init: DelayQueueInit<T>) {
    this.#init = init
  }

  add(item: T): void {
    this.#forgetSettled()
    this.#queue.push(item)
    this.#watch()
  }

  /** Forgets everything. */
  clear(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#queue = []
    this.#head = 0
  }

  #watch(): void {
    const first = this.#queue[this.#head]

    if (this.#timer === undefined && first !== undefined) {
      const dueMs = this.#dueMs(first)
      const waitMs = Math.max(0, dueMs - performance.now())
      const onTimer = (): void => onceHeard(dueMs, () => this.#takeDue())
      this.#timer = setTimeout(onTimer, Math.min(Math.ceil(waitMs), MAX_TIMER_MS))
      this.#timer.unref?.()
    }
  }

  #takeDue(): void {
    this.#timer = undefined
    const nowMs = performance.now()
    this.#forgetSettled()

    for (
      let first = this.#queue[this.#head];
      first !== undefined && this.#dueMs(first) <= nowMs;
      first = this.#queue[this.#head]
    ) {
      this.#head++
      this.#init.onDue(first)
      this.#forgetSettled()
    }

    this.#watch()
  }

  #dueMs(item: T): number {
    return this.#init.beganAtMs(item) + this.#init.delayMs
  }

  #forgetSettled(): void {
    for (
      let first = this.#queue[this.#head];
      first !== undefined && !this.#init.isPending(first);
      first = this.#queue[this.#head]
    ) {
      this.#head++
    }

    if (this.#head === this.#queue.length) {
      this.#queue = []
      this.#head = 0
    } else if (this.#head > 1024 && 2 * this.#head > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head)
      this.#head = 0
    }
  }
}
