import type { PeerInfo } from '@libp2p/interface'
import type { MaybePromise } from '@waggle/record'
import { MAX_LOOKUPS_IN_FLIGHT, MAX_SUSPECT_MS } from '../constants.ts'
import { TimeoutError, toError } from '../errors.ts'
import type { PeerBook } from '../peers/peer-book.ts'
import { atEndOfTurn } from '../timing/end-of-turn.ts'
import { wait } from '../timing/wait.ts'
import { BulkHedges } from './bulk-hedges.ts'
import { FirstDials } from './first-dials.ts'
import type { Lookup, LookupResponse, LookupResult } from './lookup.ts'
import { LoneRequest, Request, type RequestWatcher, Run } from './lookup-run.ts'
import { PeerRanking } from './peer-ranking.ts'
import { ResponseTimes } from './response-times.ts'
import { Suspects } from './suspects.ts'
import { WaitingRequests } from './waiting-requests.ts'

export interface LookupsInit {
  readonly peers: PeerBook
  readonly requestTimeoutMs: number

  /** Whether a request to a peer needs no dial. */
  readonly isReady: (contact: PeerInfo) => boolean

  /**
   * Returns the time of a peer's last progress with a response, in ms of the process's clock.
   *
   * @default never
   */
  readonly progressMs?: (contact: PeerInfo) => number
}

/**
 * Runs all lookups of a node. Lookups with requests to make in the same turn of the event loop choose their peers
 * together, so that the requests travel in few messages (N4). Every request has its timeout (N8b), and one timer
 * serves all of them. Lookups do not wait for suspects where others can replace them (N8n).
 */
export class Lookups {
  /** Decides which peers are queried next. */
  readonly ranking: PeerRanking
  readonly #init: LookupsInit
  readonly #waitingFor: WaitingRequests
  readonly #suspects: Suspects
  readonly #watcher: RequestWatcher
  readonly #responseTimes = new ResponseTimes()
  #waiting: Run[] = []
  /** Lookups that have begun and not ended. */
  #inFlight = 0
  /** Bulk requests in flight. */
  #bulk = 0
  readonly #hedges = new BulkHedges((run) => this.#schedule(run))
  readonly #idleListeners = new Set<() => void>()
  /** Lookups waiting to begin. */
  #later: Run[] = []
  readonly #firstDials: FirstDials

  constructor(init: LookupsInit) {
    this.#init = init
    this.ranking = new PeerRanking(init)
    this.#waitingFor = new WaitingRequests({
      progressMs: init.progressMs ?? (() => Number.NEGATIVE_INFINITY)
    })
    this.#firstDials = new FirstDials({
      isReady: (contact) => init.isReady(contact) && !this.#suspects.has(contact),
      inOrder: (contacts) => this.ranking.inOrder(contacts)
    })
    this.#suspects = new Suspects({
      peers: init.peers,
      requests: this.#waitingFor,
      onSuspect: (request) => this.#onSuspect(request)
    })
    this.#watcher = {
      timeoutMs: init.requestTimeoutMs,
      onDelay: (request) => this.#onDelay(request),
      onLate: (request) => this.#suspects.onLate(request),
      onTimeout: (request) => this.#onFailure(request)
    }
  }

  /**
   * Resolves when the search is done, a response was enough, or the lookup is cancelled. Lookups beyond
   * `MAX_LOOKUPS_IN_FLIGHT` wait for others to end, because requests must not grow old in this node's own queues.
   */
  run<R extends LookupResponse>(lookup: Lookup<R>): Promise<LookupResult> {
    return this.runFor(lookup, (result) => result)
  }

  /** Does the same, and resolves with what a function makes of the result. */
  runFor<R extends LookupResponse, T>(
    lookup: Lookup<R>,
    use: (result: LookupResult) => MaybePromise<T>
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const onFinish = (result: LookupResult): void => resolve(use(result))
      const run = new Run(lookup, { onFinish, reject, onEnd: this.#onEnd })

      if (this.#inFlight < MAX_LOOKUPS_IN_FLIGHT) {
        this.#inFlight++
        this.#schedule(run)
      } else {
        this.#later.push(run)
      }
    })
  }

  /** Applies the timeout to a request outside of any lookup, and records its failure, too (N8b). */
  inTime<T>(contact: PeerInfo, asked: Promise<T>): Promise<T> {
    const { peers, requestTimeoutMs } = this.#init

    return new Promise((resolve, reject) => {
      const request = new LoneRequest(contact, requestTimeoutMs, () => {
        reject(new TimeoutError('the peer made no progress'))
        peers.recordFailure(contact, undefined, request.askedAtMs)
      })
      this.#waitingFor.add(request)
      asked.then(
        (response) => {
          request.isPending = false
          this.#waitingFor.delete(request)
          resolve(response)
        },
        (thrown: unknown) => {
          reject(thrown)

          if (request.isPending) {
            request.isPending = false
            this.#waitingFor.delete(request)
            peers.recordFailure(contact, toError(thrown), request.askedAtMs)
          }
        }
      )
    })
  }

  /** Resolves when no lookup is under way, or after some milliseconds. */
  async idle(maxMs: number): Promise<void> {
    if (this.#inFlight > 0) {
      const ended = new AbortController()
      const onIdle = (): void => ended.abort()
      this.#idleListeners.add(onIdle)
      await wait(maxMs, ended.signal)
      this.#idleListeners.delete(onIdle)
    }
  }

  /** Stops the timer. */
  close(): void {
    this.#waitingFor.clear()
  }

  /** Starts several lookups at once, because removing the first item of an array moves all others. */
  readonly #onEnd = (): void => {
    this.#inFlight--

    if (this.#later.length > 0 && this.#inFlight <= MAX_LOOKUPS_IN_FLIGHT / 2) {
      for (const run of this.#later.splice(0, MAX_LOOKUPS_IN_FLIGHT - this.#inFlight)) {
        this.#inFlight++
        this.#schedule(run)
      }
    }

    if (this.#inFlight === 0) {
      for (const listener of this.#idleListeners) {
        listener()
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
    this.ranking.beginTurn(choicesOf(runs))

    for (const run of runs) {
      try {
        this.#advance(run)
      } catch (error) {
        run.fail(error)
      }
    }
  }

  #advance(run: Run): void {
    run.atOnce = Math.max(run.atOnce, run.lookup.parallelism)

    while (!run.isCancelled && run.inFlight < run.atOnce) {
      const choices = this.#firstDials.choices(run)

      if (choices.length <= run.atOnce - run.inFlight) {
        this.#askAll(run, choices)
        break
      }

      const contact = this.ranking.choose(this.#preferred(run, choices)) as PeerInfo

      if (!this.#mayAsk(run, contact)) {
        break
      }

      this.#ask(run, contact)
    }

    if (run.isCancelled || run.isOver) {
      this.#finish(run)
    }
  }

  #finish(run: Run): void {
    if (!run.isCancelled && run.lookup.continues?.()) {
      this.#schedule(run)
    } else {
      run.finish()
    }
  }

  /** The peers of which the next one is chosen: no further suspect in place of another one. */
  #preferred(run: Run, choices: readonly PeerInfo[]): readonly PeerInfo[] {
    const others = run.isBulkHedge ? choices.filter((contact) => !this.#suspects.has(contact)) : []
    return others.length > 0 ? others : choices
  }

  /** Whether a lookup may ask a peer now, while it still waits for a suspect. If not, it may later. */
  #mayAsk(run: Run, contact: PeerInfo): boolean {
    return !run.isBulkHedge || this.#hedges.admits(run, this.#suspects.has(contact))
  }

  #askAll(run: Run, contacts: readonly PeerInfo[]): void {
    for (const contact of this.ranking.inOrder(contacts)) {
      if (this.#mayAsk(run, contact)) {
        this.ranking.count(contact)
        this.#ask(run, contact)
      }
    }
  }

  #ask(run: Run, contact: PeerInfo): void {
    const { isReady, peers } = this.#init
    const isConnected = isReady(contact)
    const request = new Request(this.#watcher, run, contact, isConnected)
    // Bulk that is requested twice takes twice as long; but a dialled peer may be dead.
    const isHedged = run.lookup.isHedged ? !request.isBulk : !run.isInformed
    const delayedAfterMs = request.isBulk
      ? MAX_SUSPECT_MS
      : this.#responseTimes.lateAfterMs(isConnected)
    const lateAfterMs = peers.suspectAfterMs(contact, isConnected)
    this.#bulk += Number(request.isBulk)

    if (run.isBulkHedge) {
      this.#hedges.add(request)
    }

    request.expect(
      isHedged ? delayedAfterMs : undefined,
      // Response times tell little of a line that this node fills, to whatever peers.
      this.#bulk > 0 ? Math.max(lateAfterMs, MAX_SUSPECT_MS) : lateAfterMs
    )
    run.lookup.search.recordRequest(contact)
    run.count(1, isConnected)
    this.#waitingFor.add(request)

    if (this.#suspects.has(contact)) {
      this.#suspects.add(request)
    }

    this.#send(request).then(
      (response) => this.#onResponse(request, response),
      (thrown: unknown) => this.#onFailure(request, toError(thrown))
    )
  }

  /**
   * Sends a request. One that has timed out and is still in flight is not sent again: its response would come first.
   */
  #send(request: Request): Promise<LookupResponse> {
    const { contact, run } = request
    const { lookup } = run
    const late = run.lateTo(contact)?.response
    run.forgetLate(contact)
    request.response =
      late && this.#init.isReady(contact)
        ? late.catch(() => lookup.ask(contact, request))
        : lookup.ask(contact, request)
    return request.response
  }

  #onResponse(request: Request, response: LookupResponse): void {
    const { contact, run } = request
    this.#recordResponse(request)

    if (request.isPending) {
      this.#settle(request, true)
    } else if (run.isCancelled || run.lateTo(contact) !== request) {
      return
    }

    run.forgetLate(contact)
    const { areCloserKnown, closer } = response
    const { isHedged, search } = run.lookup
    const isFirst = !isHedged && search.answers().length === 0
    const isAnyNearer = search.recordResponse(contact, areCloserKnown ? [] : closer)

    if (!isAnyNearer) {
      run.atOnce = Number.POSITIVE_INFINITY
    }

    isHedged || this.#firstDials.recordResponse(request, { isFirst, isAnyNearer })
    this.#take(run, contact, response)
  }

  #recordResponse({ contact, askedAtMs, isBulk, isConnected }: Request): void {
    const tookMs = performance.now() - askedAtMs
    this.#init.peers.recordResponse(contact.id, isBulk || !isConnected ? undefined : tookMs)

    if (!isBulk) {
      this.#responseTimes.record(tookMs, isConnected)
    }

    if (this.#suspects.trust(contact)) {
      this.#hedges.resume()
    }
  }

  /** Handles a failure. Without an error the request has timed out, even if the lookup is over. */
  #onFailure(request: Request, error?: Error): void {
    const { run, contact } = request

    if (request.isPending) {
      run.isInformed = true
      this.#settle(request, false)
      this.#suspects.recordSilence(contact, () =>
        this.#init.peers.recordFailure(contact, error, request.askedAtMs)
      )
      error ?? run.keepLate(request)
      run.lookup.search.recordFailure(contact)
      run.numBusy += Number(error?.name === 'BusyError')
      this.#take(run, contact, undefined, error)
    }
  }

  #settle(request: Request, hasResponded: boolean): void {
    this.#bulk -= Number(request.isBulk)
    this.#waitingFor.delete(request)
    request.settle()
    this.#hedges.settle(request, hasResponded)
  }

  #onSuspect(request: Request): void {
    this.#hedges.release(request)
    this.#schedule(request.run)
  }

  #onDelay({ run, contact }: Request): void {
    this.#init.peers.recordDelay(contact.id)
    run.atOnce += Number(run.lookup.isHedged)
    run.isInformed = true
    this.#schedule(run)
  }

  #take(run: Run, contact: PeerInfo, response?: LookupResponse, error?: Error): void {
    try {
      const { search } = run.lookup
      const isEnough = !run.isCancelled && run.lookup.take(contact, response, error)

      if (isEnough) {
        run.finish()
      } else if (run.isOver && search.isDone) {
        this.#finish(run)
      } else if (run.isOver || run.isCancelled || search.hasChoices) {
        this.#schedule(run)
      }
    } catch (thrown) {
      run.fail(thrown)
    }
  }
}

/** Lists the peers of each lookup that queries one at a time. A lookup alone shares none. */
function choicesOf(runs: readonly Run[]): (readonly PeerInfo[])[] {
  const hedged = runs.length === 1 ? [] : runs.filter(({ lookup }) => lookup.isHedged)
  return hedged.map(({ lookup }) => lookup.search.choices())
}
