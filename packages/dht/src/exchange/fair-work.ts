import { atEndOfTurn } from '../lookup/end-of-turn.ts'

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

/** While one peer asks, nobody waits for the end of a turn. */
const OWN_TURN: Turn = { turnMs: 2, quantumMs: 1 }

/** While several do, whoever asks for little waits for what others ask for in large amounts: but not long. */
const SHARED_TURN: Turn = { turnMs: 0.5, quantumMs: 0.25 }

/** For how long after another peer has asked turns are shared. */
const SHARED_FOR_MS = 100

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
  /** Who asked last. */
  #asker: string | undefined
  #sharedUntilMs = 0

  /** How many peers' questions wait. */
  get waiting(): number {
    return this.#waiting.size
  }

  add(peer: string, job: Job): void {
    const nowMs = performance.now()
    this.#notice(peer, nowMs)
    this.#beginAnew(nowMs)

    if (this.#waiting.has(peer) || !this.#work(job, this.#timeAtOnce(nowMs))) {
      const jobs = this.#waiting.get(peer) ?? []
      jobs.push(job)
      this.#waiting.set(peer, jobs)
      this.#scheduleTurn()
    }
  }

  #notice(peer: string, nowMs: number): void {
    if (peer !== this.#asker) {
      this.#sharedUntilMs = this.#asker === undefined ? 0 : nowMs + SHARED_FOR_MS
      this.#asker = peer
    }
  }

  #turn(nowMs: number): Turn {
    return nowMs < this.#sharedUntilMs ? SHARED_TURN : OWN_TURN
  }

  /** As long as nothing waits, so that it needs no turns of its own. */
  #beginAnew(nowMs: number): void {
    if (this.#waiting.size === 0 && nowMs - this.#sinceMs > 2 * this.#turn(nowMs).turnMs) {
      this.#sinceMs = nowMs
      this.#spentMs = 0
    }
  }

  /** Who has nothing waiting need not wait for those who have, as long as this is no flood itself. */
  #timeAtOnce(nowMs: number): number {
    const { turnMs, quantumMs } = this.#turn(nowMs)
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
    const { turnMs, quantumMs } = this.#turn(this.#sinceMs)

    while (this.#waiting.size > 0 && this.#spentMs < turnMs) {
      this.#serveNext(quantumMs)
    }

    if (this.#waiting.size > 0) {
      this.#scheduleTurn()
    }
  }

  #serveNext(quantumMs: number): void {
    for (const [peer, jobs] of this.#waiting) {
      const [job] = jobs
      this.#waiting.delete(peer)

      if (job !== undefined && this.#work(job, quantumMs)) {
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
