import { Tally } from '../collections/tally.ts'
import { atEndOfTurn } from '../timing/end-of-turn.ts'
import { CpuShares, EXHAUSTED_PAUSE_MS } from './cpu-shares.ts'
import { PeerRotation } from './peer-rotation.ts'

export interface TaskQueueInit {
  /** Tasks that run at the same time. */
  readonly maxRunning: number

  /** Tasks of one peer that run at the same time. @default all of them */
  readonly maxRunningPerPeer?: number

  /** Milliseconds of processor time that one task takes, charged to its peer. @default nothing is charged */
  readonly costMs?: () => number

  /** @default an instance of its own */
  readonly shares?: CpuShares | undefined
}

/**
 * Runs tasks that wait for threads or peers: a few at once, so that some are free for other work, and peer by peer in
 * rotation, so that one peer's flood does not delay others. Their time counts towards the peers' shares: see {@link
 * CpuShares}.
 */
export class TaskQueue {
  readonly #waiting = new PeerRotation<() => Promise<void>>()
  readonly #running = new Tally<string>()
  readonly #init: TaskQueueInit
  readonly #shares: CpuShares
  #numRunning = 0
  #isPausing = false

  constructor(init: TaskQueueInit) {
    this.#init = init
    this.#shares = init.shares ?? new CpuShares()
  }

  /** Runs the task in the peer's turn. Settles as the task does. */
  run<T>(peer: string, task: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#waiting.add(peer, () => task().then(resolve, reject))
      this.#fill()
    })
  }

  #fill(): void {
    while (this.#numRunning < this.#init.maxRunning) {
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
    const next = this.#waiting.next((peer) => {
      const isExhausted = this.#hasPlace(peer) && this.#shares.isExhausted(peer, nowMs)
      isAnyExhausted ||= isExhausted
      return this.#hasPlace(peer) && !isExhausted
    })

    if (next === undefined && isAnyExhausted) {
      this.#pause()
    }

    return next
  }

  #begin(peer: string): void {
    const task = this.#waiting.take(peer)
    this.#countRunning(peer, 1)
    const costMs = this.#init.costMs?.()

    if (costMs !== undefined) {
      this.#shares.adjust(peer, costMs, performance.now())
    }

    void task?.().finally(() => {
      this.#countRunning(peer, -1)
      this.#fill()
    })
  }

  #hasPlace(peer: string): boolean {
    const { maxRunningPerPeer = Number.POSITIVE_INFINITY } = this.#init
    return this.#running.get(peer) < maxRunningPerPeer
  }

  #countRunning(peer: string, by: 1 | -1): void {
    this.#running.add(peer, by)
    this.#numRunning += by
  }

  #pause(): void {
    if (!this.#isPausing) {
      this.#isPausing = true
      setTimeout(() => {
        this.#isPausing = false
        atEndOfTurn(() => this.#fill())
      }, EXHAUSTED_PAUSE_MS)
    }
  }
}
