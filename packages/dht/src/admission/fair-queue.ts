import { atEndOfTurn } from '../timing/end-of-turn.ts'
import { TurnBudget } from '../timing/turn-budget.ts'
import { CpuShares, EXHAUSTED_PAUSE_MS } from './cpu-shares.ts'
import { PeerRotation } from './peer-rotation.ts'

/** Work for a peer, in steps. */
export interface Job {
  /** Runs one step. Returns true after the last one. */
  step(): boolean
}

interface Turn {
  /** Milliseconds that all peers' jobs may take in one turn of the event loop. Steps are not interrupted. */
  readonly turnMs: number

  /** Milliseconds that one peer's jobs may take before those of others run. */
  readonly quantumMs: number
}

/** Limits of a turn without light clients. */
const LONG_TURN: Turn = { turnMs: 2, quantumMs: 1 }

/** Limits of a turn while a light client is present, which would have to wait for the end of the turn. */
const SHORT_TURN: Turn = { turnMs: 0.25, quantumMs: 0.25 }

/**
 * Shares this node's time among requesting peers. A job that fits into the current turn of the event loop runs at
 * once. Others wait peer by peer and run in rotation, so neither one large request nor many from one peer delay
 * others by more than a few milliseconds. While a light client is present, turns are short and heavy peers do not
 * get all of them: see {@link CpuShares}.
 */
export class FairQueue {
  readonly #waiting = new PeerRotation<Job>()
  readonly #shares: CpuShares
  readonly #budget = new TurnBudget()
  #isTurnScheduled = false

  constructor(shares: CpuShares = new CpuShares()) {
    this.#shares = shares
  }

  /** Peers with waiting jobs. */
  get waiting(): number {
    return this.#waiting.size
  }

  add(peer: string, job: Job): void {
    const nowMs = performance.now()
    this.#shares.noteRequest(peer, nowMs)

    if (this.#hasToWait(peer, nowMs) || !this.#work(peer, job, this.#timeAtOnce(peer, nowMs))) {
      this.#waiting.add(peer, job)
      this.#scheduleTurn()
    }
  }

  #hasToWait(peer: string, nowMs: number): boolean {
    return this.#waiting.has(peer) || this.#shares.isExhausted(peer, nowMs)
  }

  #turnOf(peer: string, nowMs: number): Turn {
    return this.#shares.isShared(peer, nowMs) ? SHORT_TURN : LONG_TURN
  }

  /** Returns the milliseconds that a job may run at once: up to one quantum for a peer without waiting jobs. */
  #timeAtOnce(peer: string, nowMs: number): number {
    const { turnMs, quantumMs } = this.#turnOf(peer, nowMs)
    const { spentMs } = this.#budget
    return this.#waiting.size === 0
      ? turnMs - spentMs
      : Math.min(quantumMs, turnMs + quantumMs - spentMs)
  }

  #scheduleTurn(): void {
    if (!this.#isTurnScheduled) {
      this.#isTurnScheduled = true
      atEndOfTurn(() => this.#takeTurn())
    }
  }

  /** Serves waiting jobs even after a turn full of immediate ones, because they would starve otherwise. */
  #takeTurn(): void {
    this.#isTurnScheduled = false
    this.#budget.refill()
    let isAnyServed = false

    while (this.#serveNext()) {
      isAnyServed = true
    }

    if (this.#waiting.size > 0) {
      this.#scheduleAnother(isAnyServed)
    }
  }

  #scheduleAnother(isAnyServed: boolean): void {
    if (isAnyServed) {
      this.#scheduleTurn()
    } else {
      this.#isTurnScheduled = true
      setTimeout(() => this.#takeTurn(), EXHAUSTED_PAUSE_MS)
    }
  }

  /** Returns false when the turn is over or all waiting peers are exhausted. */
  #serveNext(): boolean {
    const nowMs = performance.now()
    let turn = LONG_TURN
    const peer = this.#waiting.next((one) => {
      turn = this.#turnOf(one, nowMs)
      return this.#budget.spentMs < turn.turnMs && !this.#shares.isExhausted(one, nowMs)
    })

    if (peer !== undefined) {
      this.#serve(peer, turn.quantumMs)
    }

    return peer !== undefined
  }

  #serve(peer: string, quantumMs: number): void {
    const job = this.#waiting.take(peer)

    if (job !== undefined && !this.#work(peer, job, quantumMs)) {
      this.#waiting.putBack(peer, job)
    }
  }

  /** Runs a job for `forMs`, or until it is done. */
  #work(peer: string, job: Job, forMs: number): boolean {
    const startMs = performance.now()
    let isDone = false
    let tookMs = 0

    while (!isDone && tookMs < forMs) {
      isDone = job.step()
      tookMs = performance.now() - startMs
    }

    this.#budget.spend(tookMs)
    this.#shares.charge(peer, tookMs, startMs + tookMs)
    return isDone
  }
}
