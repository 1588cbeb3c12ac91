import type { DHTTime } from '@waggle/record'
import TinyQueue from 'tinyqueue'

/** A task that is due at a time, under a name. */
export interface Due {
  readonly name: string
  readonly dueTime: DHTTime
}

/** Tasks by their times, the earliest first, one per name. */
export class DueQueue<T extends Due> {
  readonly #byName = new Map<string, T>()
  readonly #onNext: ((dueTime: DHTTime) => void) | undefined

  /** The tasks, with outdated ones that were replaced since. */
  #queue = earliestFirst<T>([])

  /** `onNext` is called with the time of each added task, and of the first that is left when others are taken. */
  constructor(onNext?: (dueTime: DHTTime) => void) {
    this.#onNext = onNext
  }

  get size(): number {
    return this.#byName.size
  }

  /** Time of the first task; undefined if there is none. */
  get nextTime(): DHTTime | undefined {
    for (let first = this.#queue.peek(); first !== undefined; first = this.#queue.peek()) {
      if (this.#byName.get(first.name) === first) {
        return first.dueTime
      }

      this.#queue.pop()
    }

    return undefined
  }

  get(name: string): T | undefined {
    return this.#byName.get(name)
  }

  /** Lists all tasks, in no particular order. */
  items(): T[] {
    return [...this.#byName.values()]
  }

  /** Adds a task, or replaces the one with the same name. */
  set(item: T): void {
    this.#byName.set(item.name, item)
    this.#queue.push(item)

    if (this.#queue.length > 2 * this.#byName.size + 16) {
      this.#queue = earliestFirst([...this.#byName.values()])
    }

    this.#onNext?.(item.dueTime)
  }

  /** Removes a task. Returns whether there was one. */
  delete(name: string): boolean {
    return this.#byName.delete(name)
  }

  /** Removes all tasks for which `isKept` is false. */
  retain(isKept: (item: T) => boolean): void {
    for (const item of this.#byName.values()) {
      if (!isKept(item)) {
        this.#byName.delete(item.name)
      }
    }
  }

  /** Removes and returns due tasks, at most `most`. */
  take(now: DHTTime, most: number = Number.POSITIVE_INFINITY): T[] {
    const due: T[] = []

    for (
      let next = this.nextTime;
      next !== undefined && next <= now && due.length < most;
      next = this.nextTime
    ) {
      const item = this.#queue.pop()

      if (item !== undefined) {
        this.#byName.delete(item.name)
        due.push(item)
      }
    }

    const { nextTime } = this

    if (nextTime !== undefined) {
      this.#onNext?.(nextTime)
    }

    return due
  }
}

function earliestFirst<T extends Due>(items: T[]): TinyQueue<T> {
  return new TinyQueue(items, (a, b) => a.dueTime - b.dueTime)
}
