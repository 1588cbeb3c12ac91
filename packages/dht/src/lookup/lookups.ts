import type { PeerInfo } from '@libp2p/interface'
import { HEDGE_MS, MAX_AVOIDED_PEERS, MAX_LOOKUPS_UNDER_WAY } from '../constants.ts'
import { toError } from '../errors.ts'
import type { Avoidance } from '../peers/avoidance.ts'
import type { CancellationToken } from '../timing/cancellation.ts'
import { DelayQueue } from '../timing/delay-queue.ts'
import { atEndOfTurn } from '../timing/end-of-turn.ts'
import { inTime } from '../timing/in-time.ts'
import { PeerChoice } from './peer-choice.ts'
import type { Search } from './search.ts'

/** What any answer tells a search. */
export interface Answer {
  /** Peers that may be nearer. */
  readonly closer: readonly PeerInfo[]
}

/** One key's way through the network. */
export interface Lookup<A extends Answer> {
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
  ask(contact: PeerInfo, cancellation: CancellationToken): Promise<A>

  /** Takes in an answer after the search has; undefined: the peer failed, as the error says. True if that is enough. */
  take(contact: PeerInfo, answer: A | undefined, error?: Error): boolean
}

export interface LookupsInit {
  readonly avoidance: Avoidance
  readonly requestTimeoutMs: number

  /** Whether a peer can be asked without connecting first. */
  readonly isReady: (contact: PeerInfo) => boolean

  /** Takes note of a peer that has not answered; true where that is not to be held against the peer. */
  readonly onMissed?: (contact: PeerInfo) => boolean
}

/**
 * Runs all lookups of a node. Those that have something to ask in the same turn of the event loop
 * choose together whom, so that their questions travel in few messages (N4). Every request has its
 * time (N8), which two timers keep for all of them.
 */
export class Lookups {
  readonly #init: LookupsInit
  readonly #timeouts: DelayQueue<Request>
  readonly #hedges: DelayQueue<Request>
  /** Peers that let the hedging delay pass and have not been heard of since. */
  readonly #late = new Set<string>()
  #waiting: Run[] = []
  /** Begun and not ended. */
  #underWay = 0
  /** To be begun when there is room. */
  #later: Run[] = []

  constructor(init: LookupsInit) {
    this.#init = init
    this.#timeouts = requests(init.requestTimeoutMs, (request) => this.#onFailure(request))
    this.#hedges = requests(HEDGE_MS, (request) => this.#onLate(request))
  }

  /**
   * Resolves when the search is done, an answer was enough, or nobody wants the result any more. Those beyond
   * `MAX_LOOKUPS_UNDER_WAY` wait for others to end: questions are not to grow old in this node's own queues.
   */
  run<A extends Answer>(lookup: Lookup<A>): Promise<void> {
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
  inTime<T>({ id }: PeerInfo, asked: Promise<T>): Promise<T> {
    const { avoidance, requestTimeoutMs } = this.#init
    return avoidance.watch(id, inTime(asked, requestTimeoutMs))
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
    const turn = new PeerChoice({
      isReady: this.#init.isReady,
      isLate: ({ id }) => this.#late.size > 0 && this.#late.has(id.toString())
    })

    for (const run of runs) {
      run.guard(() => this.#advance(run, turn))
    }
  }

  #advance(run: Run, turn: PeerChoice): void {
    run.atOnce = Math.max(run.atOnce, run.lookup.parallelism)

    while (!run.isCancelled && run.underWay < run.atOnce) {
      const contact = turn.choose(run.lookup.search.choices())

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
    run.lookup.search.asked(contact)
    run.underWay++
    this.#timeouts.add(request)

    if (run.lookup.isHedged) {
      this.#hedges.add(request)
    }

    run.lookup.ask(contact, request).then(
      (answer) => this.#onAnswer(request, answer),
      (thrown: unknown) => this.#onFailure(request, toError(thrown))
    )
  }

  #onAnswer(request: Request, answer: Answer): void {
    const { run, contact } = request
    this.#late.delete(contact.id.toString())

    if (request.isPending) {
      request.settle()
      this.#init.avoidance.answered(contact.id)
      const isAnyNearer = run.lookup.search.answered(contact, answer.closer)
      run.atOnce = isAnyNearer ? 2 * run.atOnce : Number.POSITIVE_INFINITY
      this.#take(run, contact, answer)
    }
  }

  /** Without an error the time has run out, be the lookup over or not: the peer is to be avoided. */
  #onFailure(request: Request, error?: Error): void {
    const { run, contact } = request

    if (!request.isPending) {
      return
    }

    request.settle()

    if (error?.name === 'BusyError') {
      this.#init.avoidance.busy(contact.id)
    } else if (error?.name !== 'AbortError' && this.#init.onMissed?.(contact) !== true) {
      this.#init.avoidance.failed(contact.id)
    }

    run.lookup.search.failed(contact)
    this.#take(run, contact, undefined, error)
  }

  #onLate({ run, contact }: Request): void {
    this.#late.add(contact.id.toString())
    this.#forgetLongestLate()
    run.atOnce++
    this.#schedule(run)
  }

  /** There is no end of peers that others may name. */
  #forgetLongestLate(): void {
    const [longest] = this.#late

    if (this.#late.size > MAX_AVOIDED_PEERS && longest !== undefined) {
      this.#late.delete(longest)
    }
  }

  #take(run: Run, contact: PeerInfo, answer: Answer | undefined, error?: Error): void {
    run.guard(() => {
      const isEnough = !run.isCancelled && run.lookup.take(contact, answer, error)

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
  readonly lookup: Lookup<Answer>
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
