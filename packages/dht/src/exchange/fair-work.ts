import { atEndOfTurn } from '../lookup/end-of-turn.ts'

/** Something to do for a peer, piece by piece. */
export interface Job {
  /** Does one piece. True when that was the last one. */
  step(): boolean
}

/** How long all peers' questions may keep the event loop in one turn. A little longer, as pieces are not cut. */
const TURN_MS = 2

/** How long one peer's may, before those of others get their turn. */
const QUANTUM_MS = 1

/**
 * Shares this node's time among those who ask. What fits into the present turn of the event loop is
 * done at once; what does not waits, peer by peer, and gets its turn after others have had theirs. So a large
 * question holds up nobody for longer than a few milliseconds, and neither do many from one peer.
 */
export class FairWork {
  /** In the order in which they get their turns. */
  readonly #waiting = new Map<string, Job[]>()
  #spentMs = 0
  /** Since when time spent is counted. */
  #sinceMs = Number.NEGATIVE_INFINITY
  #isTurnScheduled = false

  /** How many peers' questions wait. */
  get waiting(): number {
    return this.#waiting.size
  }

  add(peer: string, job: Job): void {
    this.#beginAnew()

    if (this.#waiting.has(peer) || !this.#work(job, this.#timeAtOnce())) {
      const jobs = this.#waiting.get(peer) ?? []
      jobs.push(job)
      this.#waiting.set(peer, jobs)
      this.#scheduleTurn()
    }
  }

  /** As long as nothing waits, so that it needs no turns of its own. */
  #beginAnew(): void {
    const nowMs = performance.now()

    if (this.#waiting.size === 0 && nowMs - this.#sinceMs > 2 * TURN_MS) {
      this.#sinceMs = nowMs
      this.#spentMs = 0
    }
  }

  /** Who has nothing waiting need not wait for those who have, as long as this is no flood itself. */
  #timeAtOnce(): number {
    return this.#waiting.size === 0
      ? TURN_MS - this.#spentMs
      : Math.min(QUANTUM_MS, TURN_MS + QUANTUM_MS - this.#spentMs)
  }

  #scheduleTurn(): void {
    if (!this.#isTurnScheduled) {
      this.#isTurnScheduled = true
      atEndOfTurn(() => this.#takeTurn())
    }
  }

  #takeTurn(): void {
    this.#isTurnScheduled = false
    this.#spentMs = 0
    this.#sinceMs = performance.now()

    while (this.#waiting.size > 0 && this.#spentMs < TURN_MS) {
      this.#serveNext()
    }

    if (this.#waiting.size > 0) {
      this.#scheduleTurn()
    }
  }

  #serveNext(): void {
    for (const [peer, jobs] of this.#waiting) {
      const [job] = jobs
      this.#waiting.delete(peer)

      if (job !== undefined && this.#work(job, QUANTUM_MS)) {
        jobs.shift()
      }

      if (jobs.length > 0) {
        this.#waiting.set(peer, jobs)
      }

      break
    }
  }

  /** Works on it for so long, or until it is done. */
  #work(job: Job, forMs: number): boolean {
    const startMs = performance.now()
    let isDone = false
    let tookMs = 0

    while (!isDone && tookMs < forMs) {
      isDone = job.step()
      tookMs = performance.now() - startMs
    }

    this.#spentMs += tookMs
    return isDone
  }
}
