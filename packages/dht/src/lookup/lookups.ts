import type { PeerInfo } from '@libp2p/interface'
import { MAX_LOOKUPS_UNDER_WAY } from '../constants.ts'
import { TimeoutError, toError } from '../errors.ts'
import type { PeerBook } from '../peers/peer-book.ts'
import { atEndOfTurn } from '../timing/end-of-turn.ts'
import type { Lookup, LookupResponse, LookupResult } from './lookup.ts'
import { LoneRequest, Request, type RequestWatcher, Run } from './lookup-run.ts'
import { PeerRanking } from './peer-ranking.ts'
import { ResponseTimes } from './response-times.ts'
import { WaitingRequests } from './waiting-requests.ts'

export interface LookupsInit {
  readonly peers: PeerBook
  readonly requestTimeoutMs: number

  /** Whether a peer can be asked without connecting first. */
  readonly isReady: (contact: PeerInfo) => boolean

  /**
   * Returns when a peer made progress last with what was requested, in ms of the process's clock.
   *
   * @default never
   */
  readonly progressMs?: (contact: PeerInfo) => number
}

/**
 * Runs all lookups of a node. Those that have something to ask in the same turn of the event loop
 * choose together whom, so that their requests travel in few messages (N4). Every request has its
 * timeout (N8b), and one timer serves all of them. Suspects are not waited for where others can
 * replace them (N8n).
 */
export class Lookups {
  /** Decides whom they ask next. */
  readonly ranking: PeerRanking
  readonly #init: LookupsInit
  readonly #waitingFor: WaitingRequests
  readonly #watcher: RequestWatcher
  readonly #responseTimes = new ResponseTimes()
  #waiting: Run[] = []
  /** Lookups begun and not ended. */
  #underWay = 0
  /** Lookups to be begun when there is room. */
  #later: Run[] = []

  constructor(init: LookupsInit) {
    this.#init = init
    this.ranking = new PeerRanking(init)
    this.#waitingFor = new WaitingRequests({
      progressMs: init.progressMs ?? (() => Number.NEGATIVE_INFINITY)
    })
    this.#watcher = {
      timeoutMs: init.requestTimeoutMs,
      onDelay: (request) => this.#onDelay(request),
      onLate: (request) => this.#onLate(request),
      onTimeout: (request) => this.#onFailure(request)
    }
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
          resolve(response)
        },
        (thrown: unknown) => {
          reject(thrown)

          if (request.isPending) {
            request.isPending = false
            peers.recordFailure(contact, toError(thrown), request.askedAtMs)
          }
        }
      )
    })
  }

  /** Stops the timer. */
  close(): void {
    this.#waitingFor.clear()
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
      const contact = this.ranking.choose(this.#choices(run))

      if (contact === undefined) {
        break
      }

      this.#ask(run, contact)
    }

    if (run.isCancelled || run.isOver) {
      run.finish()
    }
  }

  /**
   * The peers to choose from. A lookup that asks several at once begins with those of the nearest known
   * peers that are connected: they may name nearer ones than those that would be dialled. A node that is
   * one of the nearest itself knows those around it.
   */
  #choices(run: Run): PeerInfo[] {
    const { isHedged, search } = run.lookup
    const choices = search.choices()

    if (isHedged || run.isInformed) {
      return choices
    }

    const { isReady, peers } = this.#init
    const connected = choices.filter(
      (contact) => isReady(contact) && peers.suspicionOf(contact) === 'none'
    )
    const isNear = search.answers().length > 0
    run.isInformed = isNear || (connected.length === 0 && run.underWay === 0)
    return run.isInformed ? choices : connected
  }

  #ask(run: Run, contact: PeerInfo): void {
    const { isReady, peers } = this.#init
    const isConnected = isReady(contact)
    const request = new Request(this.#watcher, run, contact, isConnected)
    // Bulk that is asked for twice takes twice as long.
    const isHedged = !request.isBulk && (run.lookup.isHedged || !run.isInformed)
    request.expect(
      isHedged ? this.#responseTimes.lateAfterMs(isConnected) : undefined,
      peers.suspectAfterMs(contact, isConnected)
    )
    run.lookup.search.recordRequest(contact)
    run.underWay++
    this.#waitingFor.add(request)

    if (peers.suspicionOf(contact) !== 'none') {
      this.#suspect(request)
    }

    run.lookup.ask(contact, request).then(
      (response) => this.#onResponse(request, response),
      (thrown: unknown) => this.#onFailure(request, toError(thrown))
    )
  }

  #onResponse(request: Request, response: LookupResponse): void {
    const { run, contact, askedAtMs, isConnected } = request
    const tookMs = performance.now() - askedAtMs
    const isTypical = !request.isBulk
    this.#init.peers.recordResponse(contact.id, isTypical && isConnected ? tookMs : undefined)

    if (isTypical) {
      this.#responseTimes.record(tookMs, isConnected)
    }

    if (request.isPending) {
      request.settle()
      const isAnyNearer = run.lookup.search.recordResponse(contact, response.closer)

      if (!isAnyNearer) {
        run.atOnce = Number.POSITIVE_INFINITY
      }

      this.#take(run, contact, response)
    }
  }

  /** Without an error the time has run out, be the lookup over or not. */
  #onFailure(request: Request, error?: Error): void {
    const { run, contact } = request

    if (request.isPending) {
      request.settle()
      this.#recordSilence(contact, () =>
        this.#init.peers.recordFailure(contact, error, request.askedAtMs)
      )
      run.lookup.search.recordFailure(contact)
      run.numBusy += Number(error?.name === 'BusyError')
      this.#take(run, contact, undefined, error)
    }
  }

  #onDelay({ run, contact }: Request): void {
    this.#init.peers.recordDelay(contact.id)
    run.atOnce += Number(run.lookup.isHedged)
    run.isInformed = true
    this.#schedule(run)
  }

  /** The peer makes no progress: whatever it is asked, others are asked instead. */
  #onLate(request: Request): void {
    const { contact, run } = request
    const { peers } = this.#init
    this.#recordSilence(contact, () => peers.recordSuspicion(contact.id))

    if (request.isSuspect && peers.suspicionOf(contact) === 'silent') {
      run.lookup.search.giveUp(contact)
    }

    this.#suspect(request)
  }

  /** Records something of a peer. If that makes it a suspect, nobody waits for what it was asked before. */
  #recordSilence(contact: PeerInfo, record: () => void): void {
    const { peers } = this.#init
    const wasSuspect = peers.suspicionOf(contact) !== 'none'
    record()

    for (const request of wasSuspect ? [] : this.#waitingFor.requestsTo(contact)) {
      if (request instanceof Request && peers.suspicionOf(request.contact) !== 'none') {
        this.#suspect(request)
      }
    }
  }

  #suspect(request: Request): void {
    const { contact, run } = request
    request.suspect()
    run.lookup.search.recordSuspicion(contact)
    run.guard(() => run.lookup.onSuspect?.())
    this.#schedule(run)
  }

  #take(run: Run, contact: PeerInfo, response?: LookupResponse, error?: Error): void {
    run.guard(() => {
      const isEnough = !run.isCancelled && run.lookup.take(contact, response, error)

      if (isEnough || (run.lookup.search.isDone && run.isOver)) {
        run.finish()
        return
      }

      this.#schedule(run)
    })
  }
}
