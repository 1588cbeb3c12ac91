import { atEndOfTurn } from '../timing/end-of-turn.ts'
import { CpuShares } from './cpu-shares.ts'

/** Milliseconds after which peers that have had more than their share may have some again. */
const PAUSE_MS = 1

/**
 * Begins one task in each turn of the event loop, peer by peer. For work that goes on in microtasks
 * after the call that began it, as libp2p's handling of a message does: all of it runs before
 * anything else can, so a second one in the same turn would double the time for which nobody else is
 * served. The length of the turn counts towards the peer's share: see {@link CpuShares}.
 */
export class Turns {
  /** In the order in which they get their turns. */
  readonly #waiting = new Map<string, (() => void)[]>()
  readonly #shares: CpuShares
  #isTaken = false

  constructor(shares: CpuShares = new CpuShares()) {
    this.#shares = shares
  }

  /** Begins the task at once if nobody waits, or else when it is the peer's turn. */
  add(peer: string, task: () => void): void {
    const tasks = this.#waiting.get(peer)
    this.#shares.noteRequest(peer, performance.now())

    if (tasks === undefined) {
      this.#waiting.set(peer, [task])
    } else {
      tasks.push(task)
    }

    if (!this.#isTaken) {
      this.#next()
    }
  }

  #next(): void {
    const nowMs = performance.now()
    this.#isTaken = this.#waiting.size > 0

    for (const [peer, tasks] of this.#waiting) {
      if (!this.#shares.isExhausted(peer, nowMs)) {
        this.#begin(peer, tasks)
        return
      }
    }

    if (this.#isTaken) {
      setTimeout(() => this.#next(), PAUSE_MS)
    }
  }

  #begin(peer: string, tasks: (() => void)[]): void {
    const task = tasks.shift()
    const startMs = performance.now()
    this.#waiting.delete(peer)

    if (tasks.length > 0) {
      this.#waiting.set(peer, tasks)
    }

    atEndOfTurn(() => {
      const nowMs = performance.now()
      this.#shares.charge(peer, nowMs - startMs, nowMs)
      this.#next()
    })
    task?.()
  }
}
