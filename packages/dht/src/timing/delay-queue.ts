import { MAX_TIMER_MS } from './deadline.ts'
import { afterInput } from './end-of-turn.ts'

export interface DelayQueueInit<T> {
  /** May change, for all items alike. */
  readonly delayMs: number | (() => number)

  /** Returns when the item's delay began, in ms of the process's clock. */
  readonly beganAtMs: (item: T) => number

  /** Whether the item still waits. One that does not is dropped without a call. */
  readonly isPending: (item: T) => boolean

  readonly onDue: (item: T) => void
}

/**
 * Calls back for each item after the same delay. Items leave in the order in which they came, so
 * one timer serves all: timers of their own would cost thousands of requests a second more than all
 * else.
 */
export class DelayQueue<T> {
  readonly #init: DelayQueueInit<T>
  #queue: T[] = []
  /** Index of the first item. Removing the front of an array would move all of it. */
  #head = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(init: DelayQueueInit<T>) {
    this.#init = init
  }

  add(item: T): void {
    this.#dropSettled()
    this.#queue.push(item)
    this.#setTimer()
  }

  /** Drops all items. */
  clear(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#queue = []
    this.#head = 0
  }

  #setTimer(): void {
    const first = this.#queue[this.#head]

    if (this.#timer === undefined && first !== undefined) {
      const dueMs = this.#dueMs(first)
      const waitMs = Math.max(0, dueMs - performance.now())
      const onTimer = (): void => afterInput(dueMs, () => this.#takeDue())
      this.#timer = setTimeout(onTimer, Math.min(Math.ceil(waitMs), MAX_TIMER_MS))
      this.#timer.unref?.()
    }
  }

  #takeDue(): void {
    this.#timer = undefined
    const nowMs = performance.now()
    this.#dropSettled()

    for (
      let first = this.#queue[this.#head];
      first !== undefined && this.#dueMs(first) <= nowMs;
      first = this.#queue[this.#head]
    ) {
      this.#head++
      this.#init.onDue(first)
      this.#dropSettled()
    }

    this.#setTimer()
  }

  #dueMs(item: T): number {
    const { beganAtMs, delayMs } = this.#init
    return beganAtMs(item) + (typeof delayMs === 'number' ? delayMs : delayMs())
  }

  #dropSettled(): void {
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
