import type { PeerInfo } from '@libp2p/interface'
import type { CancellationToken } from '../timing/cancellation.ts'
import type { Lookup, LookupResponse, LookupResult } from './lookup.ts'
import type { WaitingRequest } from './waiting-requests.ts'

interface Ending {
  /** May throw. */
  readonly onFinish: (result: LookupResult) => void
  readonly reject: (error: unknown) => void

  /** Called first. */
  readonly onEnd: () => void
}

/** A running lookup. */
export class Run implements LookupResult {
  readonly lookup: Lookup<LookupResponse>
  readonly #ending: Ending
  atOnce = 0

  /** Requests being waited for, and those to suspects, which are not. */
  inFlight = 0
  suspected = 0

  /** Requests being waited for that take a dial, and peers that have responded after one. */
  dialling = 0
  dialled = 0
  numBusy = 0
  hasResponse = false

  /** Whether all of the nearest may be dialled: others have had time to return nearer ones, or know none. */
  isInformed = false

  /** The last request to each peer that has timed out, whose response may still come. */
  #late: Map<string, Request> | undefined
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

  /** Whether no request is being waited for. */
  get isOver(): boolean {
    return this.inFlight === 0 && (this.suspected === 0 || this.lookup.search.isDone)
  }

  /** Counts requests in flight. */
  count(requests: number, isConnected: boolean): void {
    this.inFlight += requests
    this.dialling += isConnected ? 0 : requests
  }

  /** Remembers a request that has timed out. */
  keepLate(request: Request): void {
    this.#late ??= new Map()
    this.#late.set(request.contact.id.toString(), request)
  }

  /** Whether any request has timed out. */
  get hasTimedOut(): boolean {
    return this.#late !== undefined
  }

  /**
   * Whether its next request is bulk that another peer was asked for, and may still send. After a request timeout,
   * nobody is waited for any more.
   */
  get isBulkHedge(): boolean {
    const { cancellation, isHedged } = this.lookup
    return this.suspected > 0 && !this.hasTimedOut && isHedged && cancellation.isBulk === true
  }

  /** Returns the request to a peer that has timed out, if its response has not come since. */
  lateTo({ id }: PeerInfo): Request | undefined {
    return this.#late?.get(id.toString())
  }

  /** Forgets the request to a peer that has timed out. */
  forgetLate({ id }: PeerInfo): void {
    this.#late?.delete(id.toString())
  }

  finish(): void {
    if (this.#end()) {
      try {
        this.#ending.onFinish(this)
      } catch (error) {
        this.#ending.reject(error)
      }
    }
  }

  /** Ends the lookup with an error in one of its steps, which concerns no other lookup. */
  fail(error: unknown): void {
    if (this.#end()) {
      this.#ending.reject(error)
    }
  }

  /** Returns whether it had not ended before. */
  #end(): boolean {
    if (this.#isFinished) {
      return false
    }

    this.#isFinished = true
    this.#ending.onEnd()
    return true
  }
}

/** Receives the delays of requests. */
export interface RequestWatcher {
  /** Milliseconds without progress after which a request times out. */
  readonly timeoutMs: number

  /** Called when a request takes longer than most. */
  onDelay(request: Request): void

  /** Called when a request takes longer than its peer ever took, or its connection has ended. */
  onLate(request: Request): void
  onTimeout(request: Request): void
}

/** One request to one peer. */
export class Request implements CancellationToken, WaitingRequest {
  readonly run: Run
  readonly contact: PeerInfo
  readonly askedAtMs: number = performance.now()

  /** Whether the peer was connected when the request was made. */
  readonly isConnected: boolean

  /** Whether it was bulk when it was made. */
  readonly isBulk: boolean
  readonly #watcher: RequestWatcher
  #delayedAfterMs = 0
  #lateAfterMs = 0
  #isDelayed = false
  #isLate = false
  isPending = true

  /** Its response. */
  response: Promise<LookupResponse> | undefined

  /** Whether the lookup no longer waits for it. */
  isSuspect = false

  constructor(watcher: RequestWatcher, run: Run, contact: PeerInfo, isConnected: boolean) {
    this.#watcher = watcher
    this.run = run
    this.contact = contact
    this.isConnected = isConnected
    this.isBulk = run.lookup.cancellation.isBulk === true
  }

  /** Sets the times after which the request is delayed and late. Undefined, or beyond the timeout: never. */
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

  /** The peer must be dialled again, and may be gone: others replace it until it responds. */
  onRepeat(): void {
    if (this.isPending) {
      this.#watcher.onLate(this)
    }
  }

  /** Whether its lookup needs no more responses. */
  get isCancelled(): boolean {
    const isForAll = this.isSuspect && this.run.lookup.isForAll === true
    return !this.isPending || (this.run.isCancelled && !isForAll)
  }

  /** Stops waiting for the request. */
  suspect(): void {
    if (!this.isSuspect) {
      this.isSuspect = true
      this.run.count(-1, this.isConnected)
      this.run.suspected++
      this.run.isInformed = true
    }
  }

  /** Waits for the request again. */
  trust(): void {
    if (this.isSuspect) {
      this.isSuspect = false
      this.#isLate = this.#lateAfterMs >= this.#watcher.timeoutMs
      this.run.count(1, this.isConnected)
      this.run.suspected--
    }
  }

  settle(): void {
    this.isPending = false

    if (this.isSuspect) {
      this.run.suspected--
    } else {
      this.run.count(-1, this.isConnected)
    }
  }
}

/** A request outside of any lookup. */
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
