import { atEndOfTurn } from '../timing/end-of-turn.ts'
import { CpuShares } from './cpu-shares.ts'

/** Something to do for a peer, piece by piece. */
export interface Job {
  /** Does one piece. True when that was the last one. */
  step(): boolean
}

interface Turn {
  /** How long all peers' questions may keep the event loop. A little longer, as pieces are not cut. */
  readonly turnMs: number

  /** How long one peer's may, before those of others get their turn. */
  readonly quantumMs: number
}

/** While there is nobody who asks for little, and would have to wait for the end of a turn. */
const LONG_TURN: Turn = { turnMs: 2, quantumMs: 1 }

/** While there is. */
const SHORT_TURN: Turn = { turnMs: 0.25, quantumMs: 0.25 }

/** After so long, those who have had more than their share may have some again. */
const PAUSE_MS = 1

/**
 * Shares this node's time among those who ask. What fits into the present turn of the event loop is
 * done at once; what does not waits, peer by peer, and gets its turn after others have had theirs. So a large
 * question holds up nobody for longer than a few milliseconds, and neither do many from one peer. While others
 * ask for little, turns are short, and whoever asks for much does not get all of them: see {@link CpuShares}.
 */
export class FairQueue {
  /** In the order in which they get their turns. */
  readonly #waiting = new Map<string, Job[]>()
  readonly #shares: CpuShares
  #spentMs = 0
  /** Since when time spent is counted. */
  #sinceMs = Number.NEGATIVE_INFINITY
  #isTurnScheduled = false

  constructor(shares: CpuShares = new CpuShares()) {
    this.#shares = shares
  }

  /** How many peers' questions wait. */
  get waiting(): number {
    return this.#waiting.size
  }

  add(peer: string, job: Job): void {
    const nowMs = performance.now()
    this.#shares.asked(peer, nowMs)
    this.#beginAnew(nowMs)

    if (this.#hasToWait(peer, nowMs) || !this.#work(peer, job, this.#timeAtOnce(peer, nowMs))) {
      const jobs = this.#waiting.get(peer) ?? []
      jobs.push(job)
      this.#waiting.set(peer, jobs)
      this.#scheduleTurn()
    }
  }

  #hasToWait(peer: string, nowMs: number): boolean {
    return this.#waiting.has(peer) || this.#shares.isExhausted(peer, nowMs)
  }

  #turnOf(peer: string, nowMs: number): Turn {
    return this.#shares.isShared(peer, nowMs) ? SHORT_TURN : LONG_TURN
  }

  /** As long as nothing waits, so that it needs no turns of its own. */
  #beginAnew(nowMs: number): void {
    if (this.#waiting.size === 0 && nowMs - this.#sinceMs > 2 * LONG_TURN.turnMs) {
      this.#sinceMs = nowMs
      this.#spentMs = 0
    }
  }

  /** Who has nothing waiting need not wait for those who have, as long as this is no flood itself. */
  #timeAtOnce(peer: string, nowMs: number): number {
    const { turnMs, quantumMs } = this.#turnOf(peer, nowMs)
    return this.#waiting.size === 0
      ? turnMs - this.#spentMs
      : Math.min(quantumMs, turnMs + quantumMs - this.#spentMs)
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
    let isAnyServed = true

    while (isAnyServed && this.#waiting.size > 0) {
      isAnyServed = this.#serveNext()
    }

    if (this.#waiting.size > 0) {
      this.#scheduleAnother()
    }
  }

  #scheduleAnother(): void {
    if (this.#spentMs > 0) {
      this.#scheduleTurn()
    } else {
      this.#isTurnScheduled = true
      setTimeout(() => this.#takeTurn(), PAUSE_MS)
    }
  }

  /** False if the turn is over, or all who wait have had more than their share. */
  #serveNext(): boolean {
    const nowMs = performance.now()

    for (const [peer, jobs] of this.#waiting) {
      const { turnMs, quantumMs } = this.#turnOf(peer, nowMs)

      if (this.#spentMs < turnMs && !this.#shares.isExhausted(peer, nowMs)) {
        this.#serve(peer, jobs, quantumMs)
        return true
      }
    }

    return false
  }

  #serve(peer: string, jobs: Job[], quantumMs: number): void {
    const [job] = jobs
    this.#waiting.delete(peer)

    if (job !== undefined && this.#work(peer, job, quantumMs)) {
      jobs.shift()
    }

    if (jobs.length > 0) {
      this.#waiting.set(peer, jobs)
    }
  }

  /** Works on it for so long, or until it is done. */
  #work(peer: string, job: Job, forMs: number): boolean {
    const startMs = performance.now()
    let isDone = false
    let tookMs = 0

    while (!isDone && tookMs < forMs) {
      isDone = job.step()
      tookMs = performance.now() - startMs
    }

    this.#spentMs += tookMs
    this.#shares.spent(peer, tookMs, startMs + tookMs)
    return isDone
  }
}
