import type { PeerInfo } from '@libp2p/interface'
import { HEDGE_MS, MAX_LOOKUPS_UNDER_WAY } from '../constants.ts'
import { toError } from '../errors.ts'
import type { PeerBook } from '../peers/peer-book.ts'
import type { CancellationToken } from '../timing/cancellation.ts'
import { DelayQueue } from '../timing/delay-queue.ts'
import { atEndOfTurn } from '../timing/end-of-turn.ts'
import { inTime } from '../timing/in-time.ts'
import { PeerRanking } from './peer-ranking.ts'
import type { Search } from './search.ts'

/** What any response tells a search. */
export interface LookupResponse {
  /** Peers that may be nearer. */
  readonly closer: readonly PeerInfo[]
}

/** One key's way through the network. */
export interface Lookup<R extends LookupResponse> {
  readonly search: Search

  /** Who wants its result. */
  readonly cancellation: CancellationToken

  /**
   * How many peers are asked at once. Twice as many after each answer that was not enough; all that
   * are left once one names nobody who is nearer, as they have been found, and have to be asked anyway.
   */
  readonly parallelism: number

  /** Whether one more peer is asked for each that takes longer than `HEDGE_MS`. */
  readonly isHedged: boolean

  /** Asks one peer; rejects when it gives no answer. */
  ask(contact: PeerInfo, cancellation: CancellationToken): Promise<R>

  /** Takes in an answer after the search has; undefined: the peer failed, as the error says. True if that is enough. */
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
 * choose together whom, so that their questions travel in few messages (N4). Every request has its
 * time (N8), which two timers keep for all of them.
 */
export class Lookups {
  /** Decides whom they ask next. */
  readonly ranking: PeerRanking
  readonly #init: LookupsInit
  readonly #timeouts: DelayQueue<Request>
  readonly #hedges: DelayQueue<Request>
  #waiting: Run[] = []
  /** Begun and not ended. */
  #underWay = 0
  /** To be begun when there is room. */
  #later: Run[] = []

  constructor(init: LookupsInit) {
    this.#init = init
    this.ranking = new PeerRanking(init)
    this.#timeouts = requests(init.requestTimeoutMs, (request) => this.#onFailure(request))
    this.#hedges = requests(HEDGE_MS, (request) => this.#onLate(request))
  }

  /**
   * Resolves when the search is done, an answer was enough, or nobody wants the result any more. Those beyond
   * `MAX_LOOKUPS_UNDER_WAY` wait for others to end: questions are not to grow old in this node's own queues.
   */
  run<R extends LookupResponse>(lookup: Lookup<R>): Promise<void> {
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

  /** Gives a question outside of any search its time, and remembers what came of it, too (N8). */
  async inTime<T>(contact: PeerInfo, asked: Promise<T>): Promise<T> {
    const { peers, requestTimeoutMs } = this.#init

    try {
      return await inTime(asked, requestTimeoutMs)
    } catch (error) {
      peers.recordFailure(contact, toError(error))
      throw error
    }
  }

  /** Stops the clocks. */
  close(): void {
    this.#timeouts.clear()
    this.#hedges.clear()
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
    const request = new Request(run, contact)
    run.lookup.search.recordRequest(contact)
    run.underWay++
    this.#timeouts.add(request)

    if (run.lookup.isHedged) {
      this.#hedges.add(request)
    }

    run.lookup.ask(contact, request).then(
      (response) => this.#onResponse(request, response),
      (thrown: unknown) => this.#onFailure(request, toError(thrown))
    )
  }

  #onResponse(request: Request, response: LookupResponse): void {
    const { run, contact } = request
    const { peers } = this.#init
    peers.recordResponse(contact.id)

    if (request.isPending) {
      request.settle()

      for (const named of response.closer) {
        peers.recordReferral(named, contact.id)
      }

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
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
  readonly onEnd: () => void
}

/** A lookup under way. */
class Run {
  readonly lookup: Lookup<LookupResponse>
  readonly #ending: Ending
  atOnce = 0
  underWay = 0
  #isFinished = false

  constructor(
    // What the answers say matters to the lookup alone.
    // biome-ignore lint/suspicious/noExplicitAny: each lookup takes the answers to its own questions
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
    this.#end(() => this.#ending.resolve())
  }

  /** What goes wrong in one lookup is told to who wants it, and concerns no other. */
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

/** One question to one peer. */
class Request implements CancellationToken {
  readonly run: Run
  readonly contact: PeerInfo
  readonly askedAtMs: number = performance.now()
  isPending = true

  constructor(run: Run, contact: PeerInfo) {
    this.run = run
    this.contact = contact
  }

  /** True as soon as its lookup needs no more answers. */
  get isCancelled(): boolean {
    return !this.isPending || this.run.isCancelled
  }

  settle(): void {
    this.isPending = false
    this.run.underWay--
  }
}

function requests(delayMs: number, onDue: (request: Request) => void): DelayQueue<Request> {
  return new DelayQueue({
    delayMs,
    beganAtMs: ({ askedAtMs }) => askedAtMs,
    isPending: ({ isPending }) => isPending,
    onDue
  })
}
