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
  lateAfterMs: number = Number.POSITIVE_INFINITY
  isPending = true
  isLate = false

  /** Whether it is not waited for. */
  isSuspect = false

  constructor(watcher: RequestWatcher, run: Run, contact: PeerInfo, isConnected: boolean) {
    this.#watcher = watcher
    this.run = run
    this.contact = contact
    this.isConnected = isConnected
  }

  get isBulk(): boolean {
    return this.run.lookup.cancellation.isBulk === true
  }

  /** True as soon as its lookup needs no more responses. */
  get isCancelled(): boolean {
    const isForAll = this.isSuspect && this.run.lookup.isForAll === true
    return !this.isPending || (this.run.isCancelled && !isForAll)
  }

  onLate(): void {
    this.#watcher.onLate(this)
  }

  onTimeout(): void {
    this.#watcher.onTimeout(this)
  }

  /** Is not waited for any more. */
  suspect(): void {
    if (!this.isSuspect) {
      this.isSuspect = true
      this.run.underWay--
      this.run.suspected++
    }
  }

  settle(): void {
    this.isPending = false

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
  readonly lateAfterMs: number = Number.POSITIVE_INFINITY
  readonly isLate = false
  readonly #reject: () => void
  isPending = true

  constructor(contact: PeerInfo, reject: () => void) {
    this.contact = contact
    this.#reject = reject
  }

  onLate(): void {}

  onTimeout(): void {
    this.isPending = false
    this.#reject()
  }
}
