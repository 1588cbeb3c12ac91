import { atEndOfTurn } from '../timing/end-of-turn.ts'
import { CpuShares } from './cpu-shares.ts'

/** Milliseconds until exhausted peers are checked again. */
const PAUSE_MS = 1

export interface TaskQueueInit {
  /** Tasks that run at the same time. */
  readonly maxRunning: number

  /** Tasks of one peer that run at the same time. @default all of them */
  readonly maxRunningPerPeer?: number

  /** Milliseconds of processor time that one task takes, charged to its peer. */
  readonly costMs: () => number

  /** @default an instance of its own */
  readonly shares?: CpuShares | undefined
}

/**
 * Runs tasks that use threads: a few at once, so that a thread stays free for other work, and peer by peer in
 * rotation, so that one peer's flood does not delay others. Their time counts towards the peers' shares: see {@link
 * CpuShares}.
 */
export class TaskQueue {
  /** Waiting tasks by peer, in the order in which the peers are served. */
  readonly #waiting = new Map<string, (() => Promise<void>)[]>()
  readonly #init: TaskQueueInit
  readonly #shares: CpuShares
  readonly #runningOf = new Map<string, number>()
  #running = 0
  #isPausing = false

  constructor(init: TaskQueueInit) {
    this.#init = init
    this.#shares = init.shares ?? new CpuShares()
  }

  /** Runs the task in the peer's turn. Settles as the task does. */
  run<T>(peer: string, task: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const tasks = this.#waiting.get(peer) ?? []
      tasks.push(() => task().then(resolve, reject))
      this.#waiting.set(peer, tasks)
      this.#fill()
    })
  }

  #fill(): void {
    while (this.#running < this.#init.maxRunning && this.#waiting.size > 0) {
      const peer = this.#nextPeer()

      if (peer === undefined) {
        return
      }

      this.#begin(peer)
    }
  }

  /** Returns the next peer that may run a task. If all of those have used up their shares, checks again soon. */
  #nextPeer(): string | undefined {
    const nowMs = performance.now()
    let isAnyExhausted = false

    for (const peer of this.#waiting.keys()) {
      const isExhausted = this.#shares.isExhausted(peer, nowMs)

      if (this.#hasPlace(peer) && !isExhausted) {
        return peer
      }

      isAnyExhausted ||= isExhausted && this.#hasPlace(peer)
    }

    isAnyExhausted && this.#pause()
    return undefined
  }

  #begin(peer: string): void {
    const tasks = this.#waiting.get(peer) ?? []
    const task = tasks.shift()
    this.#waiting.delete(peer)

    if (tasks.length > 0) {
      this.#waiting.set(peer, tasks)
    }

    this.#countRunning(peer, 1)
    this.#shares.adjust(peer, this.#init.costMs(), performance.now())
    void task?.().finally(() => {
      this.#countRunning(peer, -1)
      this.#fill()
    })
  }

  #hasPlace(peer: string): boolean {
    const { maxRunningPerPeer = Number.POSITIVE_INFINITY } = this.#init
    return (this.#runningOf.get(peer) ?? 0) < maxRunningPerPeer
  }

  #countRunning(peer: string, by: 1 | -1): void {
    const count = (this.#runningOf.get(peer) ?? 0) + by
    this.#running += by

    if (count > 0) {
      this.#runningOf.set(peer, count)
    } else {
      this.#runningOf.delete(peer)
    }
  }

  #pause(): void {
    if (!this.#isPausing) {
      this.#isPausing = true
      setTimeout(() => {
        this.#isPausing = false
        atEndOfTurn(() => this.#fill())
      }, PAUSE_MS)
    }
  }
}
