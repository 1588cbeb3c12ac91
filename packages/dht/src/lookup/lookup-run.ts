import type { PeerInfo } from '@libp2p/interface'
import type { CancellationToken } from '../timing/cancellation.ts'
import type { Lookup, LookupResponse, LookupResult } from './lookup.ts'
import type { WaitingRequest } from './waiting-requests.ts'

interface Ending {
  readonly resolve: (result: LookupResult) => void
  readonly reject: (error: unknown) => void
  readonly onEnd: () => void
}

/** A lookup under way. */
export class Run implements LookupResult {
  readonly lookup: Lookup<LookupResponse>
  readonly #ending: Ending
  atOnce = 0

  /** Requests that are waited for, and those that are not because their peers are suspected. */
  underWay = 0
  suspected = 0
  numBusy = 0

  /** Whether peers may be dialled: connected ones have had their time to name nearer ones. */
  isInformed = false
  #isFinished = false

  constructor(
    // biome-ignore lint/suspicious/noExplicitAny: each lookup takes the responses to its own requests
    lookup: Lookup<any>,
    ending: Ending
  ) {
    this.lookup = lookup
    this.#ending = ending
  }

  get isCancelled(): boolean {
    return this.#isFinished || this.lookup.cancellation.isCancelled
  }

  /** Whether nobody is waited for. */
  get isOver(): boolean {
    return this.underWay === 0 && (this.suspected === 0 || this.lookup.search.isDone)
  }

  finish(): void {
    this.#end(() => this.#ending.resolve(this))
  }

  /** Runs a step. What goes wrong in it ends this lookup, and no other. */
  guard(step: () => void): void {
    try {
      step()
    } catch (error) {
      this.#end(() => this.#ending.reject(error))
    }
  }

  #end(settle: () => void): void {
    if (!this.#isFinished) {
      this.#isFinished = true
      settle()
      this.#ending.onEnd()
    }
  }
}

/** Takes note of requests that take too long. */
export interface RequestWatcher {
  /** Milliseconds without progress after which the time of a request is over. */
  readonly timeoutMs: number

  /** It takes longer than most. */
  onDelay(request: Request): void

  /** It takes longer than its peer ever took. */
  onLate(request: Request): void
  onTimeout(request: Request): void
}

/** One request to one peer. */
export class Request implements CancellationToken, WaitingRequest {
  readonly run: Run
  readonly contact: PeerInfo
  readonly askedAtMs: number = performance.now()

  /** Whether the peer was connected when it was asked. */
  readonly isConnected: boolean
  readonly #watcher: RequestWatcher
  #delayedAfterMs = 0
  #lateAfterMs = 0
  #isDelayed = false
  #isLate = false
  isPending = true

  /** Whether it is not waited for. */
  isSuspect = false

  constructor(watcher: RequestWatcher, run: Run, contact: PeerInfo, isConnected: boolean) {
    this.#watcher = watcher
    this.run = run
    this.contact = contact
    this.isConnected = isConnected
  }

  /** Sets from when on it is delayed, and late. Undefined, or no sooner than the timeout: never. */
  expect(delayedAfterMs: number | undefined, lateAfterMs: number): void {
    this.#isDelayed = delayedAfterMs === undefined
    this.#isLate = lateAfterMs >= this.#watcher.timeoutMs
    this.#lateAfterMs = lateAfterMs
    this.#delayedAfterMs = Math.min(delayedAfterMs ?? 0, lateAfterMs, this.#watcher.timeoutMs)
  }

  get dueAfterMs(): number {
    if (!this.#isDelayed) {
      return this.#delayedAfterMs
    }

    return this.#isLate ? this.#watcher.timeoutMs : this.#lateAfterMs
  }

  onDue(): void {
    if (!this.#isDelayed) {
      this.#isDelayed = true
      this.#watcher.onDelay(this)
    } else if (!this.#isLate) {
      this.#isLate = true
      this.#watcher.onLate(this)
    } else {
      this.#watcher.onTimeout(this)
    }
  }

  get isBulk(): boolean {
    return this.run.lookup.cancellation.isBulk === true
  }

  /** True as soon as its lookup needs no more responses. */
  get isCancelled(): boolean {
    const isForAll = this.isSuspect && this.run.lookup.isForAll === true
    return !this.isPending || (this.run.isCancelled && !isForAll)
  }

  /** Is not waited for any more. */
  suspect(): void {
    if (!this.isSuspect) {
      this.isSuspect = true
      this.run.underWay--
      this.run.suspected++
      this.run.isInformed = true
    }
  }

  settle(): void {
    this.isPending = false
    this.run.isInformed = true

    if (this.isSuspect) {
      this.run.suspected--
    } else {
      this.run.underWay--
    }
  }
}

/** A request that belongs to no lookup. */
export class LoneRequest implements WaitingRequest {
  readonly contact: PeerInfo
  readonly askedAtMs: number = performance.now()
  readonly dueAfterMs: number
  readonly #onTimeout: () => void
  isPending = true

  constructor(contact: PeerInfo, timeoutMs: number, onTimeout: () => void) {
    this.contact = contact
    this.dueAfterMs = timeoutMs
    this.#onTimeout = onTimeout
  }

  onDue(): void {
    this.isPending = false
    this.#onTimeout()
  }
}
