import type { PeerInfo } from '@libp2p/interface'
import { MAX_LOOKUPS_UNDER_WAY } from '../constants.ts'
import { toError } from '../errors.ts'
import type { PeerBook } from '../peers/peer-book.ts'
import type { CancellationToken } from '../timing/cancellation.ts'
import { DelayQueue } from '../timing/delay-queue.ts'
import { atEndOfTurn } from '../timing/end-of-turn.ts'
import { inTime } from '../timing/in-time.ts'
import { PeerRanking } from './peer-ranking.ts'
import { ResponseTimes } from './response-times.ts'
import type { Search } from './search.ts'

/** The part of a response that a search needs. */
export interface LookupResponse {
  /** Peers that may be nearer. */
  readonly closer: readonly PeerInfo[]

  /** Whether a plain kad-dht peer responded. */
  readonly isPlain?: boolean
}

/** The result of a lookup, besides what it took in. */
export interface LookupResult {
  /** Peers that had too much to do. */
  readonly numBusy: number
}

/** A lookup of one key. */
export interface Lookup<R extends LookupResponse> {
  readonly search: Search

  readonly cancellation: CancellationToken

  /**
   * Peers asked at once. Twice as many after each response that was not enough; all that are left once
   * a response names none that is nearer, since these have to be asked anyway.
   */
  readonly parallelism: number

  /** Whether one more peer is asked for each that takes longer than most. */
  readonly isHedged: boolean

  /** Asks one peer; rejects when it does not respond. */
  ask(contact: PeerInfo, cancellation: CancellationToken): Promise<R>

  /**
   * Takes in a response after the search has; undefined: the peer failed, with this error or for want of
   * time. True if that is enough.
   */
  take(contact: PeerInfo, response: R | undefined, error?: Error): boolean
}

export interface LookupsInit {
  readonly peers: PeerBook
  readonly requestTimeoutMs: number

  /** Whether a peer can be asked without connecting first. */
  readonly isReady: (contact: PeerInfo) => boolean
}

/**
 * Runs all lookups of a node. Those that have something to ask in the same turn of the event loop
 * choose together whom, so that their requests travel in few messages (N4). Every request has its
 * timeout (N8b), which two timers keep for all of them.
 */
export class Lookups {
  /** Decides whom they ask next. */
  readonly ranking: PeerRanking
  readonly #init: LookupsInit
  readonly #timeouts: DelayQueue<Request>
  /** Requests that may become late, to peers that were connected and to others. */
  readonly #hedges: { readonly warm: DelayQueue<Request>; readonly cold: DelayQueue<Request> }
  readonly #responseTimes = new ResponseTimes()
  #waiting: Run[] = []
  /** Lookups begun and not ended. */
  #underWay = 0
  /** Lookups to be begun when there is room. */
  #later: Run[] = []

  constructor(init: LookupsInit) {
    this.#init = init
    this.ranking = new PeerRanking(init)
    this.#timeouts = requests(init.requestTimeoutMs, (request) => this.#onFailure(request))
    const lateAfter = (isConnected: boolean) =>
      requests(
        () => this.#responseTimes.lateAfterMs(isConnected),
        (request) => this.#onLate(request)
      )
    this.#hedges = { warm: lateAfter(true), cold: lateAfter(false) }
  }

  /**
   * Resolves when the search is done, a response was enough, or the lookup is cancelled. Lookups beyond
   * `MAX_LOOKUPS_UNDER_WAY` wait for others to end: requests must not grow old in this node's own queues.
   */
  run<R extends LookupResponse>(lookup: Lookup<R>): Promise<LookupResult> {
    return new Promise((resolve, reject) => {
      const run = new Run(lookup, { resolve, reject, onEnd: () => this.#onEnd() })

      if (this.#underWay < MAX_LOOKUPS_UNDER_WAY) {
        this.#underWay++
        this.#schedule(run)
      } else {
        this.#later.push(run)
      }
    })
  }

  /** Gives a request outside of any lookup its timeout, and takes note of its failure, too (N8b). */
  async inTime<T>(contact: PeerInfo, asked: Promise<T>): Promise<T> {
    const { peers, requestTimeoutMs } = this.#init

    try {
      return await inTime(asked, requestTimeoutMs)
    } catch (error) {
      peers.recordFailure(contact, toError(error))
      throw error
    }
  }

  /** Stops the timers. */
  close(): void {
    this.#timeouts.clear()
    this.#hedges.warm.clear()
    this.#hedges.cold.clear()
  }

  /** Several at once, as taking off the front of an array moves all of it. */
  #onEnd(): void {
    this.#underWay--

    if (this.#later.length > 0 && this.#underWay <= MAX_LOOKUPS_UNDER_WAY / 2) {
      for (const run of this.#later.splice(0, MAX_LOOKUPS_UNDER_WAY - this.#underWay)) {
        this.#underWay++
        this.#schedule(run)
      }
    }
  }

  #schedule(run: Run): void {
    if (this.#waiting.push(run) === 1) {
      atEndOfTurn(() => this.#takeTurn())
    }
  }

  #takeTurn(): void {
    const runs = this.#waiting
    this.#waiting = []
    this.ranking.beginTurn()

    for (const run of runs) {
      run.guard(() => this.#advance(run))
    }
  }

  #advance(run: Run): void {
    run.atOnce = Math.max(run.atOnce, run.lookup.parallelism)

    while (!run.isCancelled && run.underWay < run.atOnce) {
      const contact = this.ranking.choose(run.lookup.search.choices())

      if (contact === undefined) {
        break
      }

      this.#ask(run, contact)
    }

    if (run.underWay === 0 || run.isCancelled) {
      run.finish()
    }
  }

  #ask(run: Run, contact: PeerInfo): void {
    const request = new Request(run, contact, this.#init.isReady(contact))
    run.lookup.search.recordRequest(contact)
    run.underWay++
    this.#timeouts.add(request)

    if (run.lookup.isHedged) {
      const { cold, warm } = this.#hedges
      const hedges = request.isConnected ? warm : cold
      hedges.add(request)
    }

    run.lookup.ask(contact, request).then(
      (response) => this.#onResponse(request, response),
      (thrown: unknown) => this.#onFailure(request, toError(thrown))
    )
  }

  #onResponse(request: Request, response: LookupResponse): void {
    const { run, contact, askedAtMs, isConnected } = request
    this.#init.peers.recordResponse(contact.id)
    this.#responseTimes.record(performance.now() - askedAtMs, isConnected)

    if (request.isPending) {
      request.settle()
      const isAnyNearer = run.lookup.search.recordResponse(contact, response.closer)
      run.atOnce = isAnyNearer ? 2 * run.atOnce : Number.POSITIVE_INFINITY
      this.#take(run, contact, response)
    }
  }

  /** Without an error the time has run out, be the lookup over or not. */
  #onFailure(request: Request, error?: Error): void {
    const { run, contact } = request

    if (request.isPending) {
      request.settle()
      this.#init.peers.recordFailure(contact, error)
      run.lookup.search.recordFailure(contact)
      run.numBusy += Number(error?.name === 'BusyError')
      this.#take(run, contact, undefined, error)
    }
  }

  #onLate({ run, contact }: Request): void {
    this.#init.peers.recordDelay(contact.id)
    run.atOnce++
    this.#schedule(run)
  }

  #take(run: Run, contact: PeerInfo, response?: LookupResponse, error?: Error): void {
    run.guard(() => {
      const isEnough = !run.isCancelled && run.lookup.take(contact, response, error)

      if (isEnough || (run.underWay === 0 && run.lookup.search.isDone)) {
        run.finish()
        return
      }

      this.#schedule(run)
    })
  }
}

interface Ending {
  readonly resolve: (result: LookupResult) => void
  readonly reject: (error: unknown) => void
  readonly onEnd: () => void
}

/** A lookup under way. */
class Run implements LookupResult {
  readonly lookup: Lookup<LookupResponse>
  readonly #ending: Ending
  atOnce = 0
  underWay = 0
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

/** One request to one peer. */
class Request implements CancellationToken {
  readonly run: Run
  readonly contact: PeerInfo
  readonly askedAtMs: number = performance.now()
  /** Whether the peer was connected when it was asked. */
  readonly isConnected: boolean
  isPending = true

  constructor(run: Run, contact: PeerInfo, isConnected: boolean) {
    this.run = run
    this.contact = contact
    this.isConnected = isConnected
  }

  /** True as soon as its lookup needs no more responses. */
  get isCancelled(): boolean {
    return !this.isPending || this.run.isCancelled
  }

  settle(): void {
    this.isPending = false
    this.run.underWay--
  }
}

function requests(
  delayMs: number | (() => number),
  onDue: (request: Request) => void
): DelayQueue<Request> {
  return new DelayQueue({
    delayMs,
    beganAtMs: ({ askedAtMs }) => askedAtMs,
    isPending: ({ isPending }) => isPending,
    onDue
  })
}
