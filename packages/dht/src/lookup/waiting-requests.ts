import type { PeerInfo } from '@libp2p/interface'
import { MAX_TIMER_MS } from '../timing/deadline.ts'
import { afterInput } from '../timing/end-of-turn.ts'

/** A request in flight. */
export interface WaitingRequest {
  readonly contact: PeerInfo

  /** Time of the request, in ms of the process's clock. */
  readonly askedAtMs: number
  readonly isPending: boolean

  /** Milliseconds without progress after which the request is due. */
  readonly dueAfterMs: number

  /** Handles the due request. Afterwards it is settled, or due later. */
  onDue(): void
}

export interface WaitingRequestsInit {
  /** Returns the time of a peer's last progress, in ms of the process's clock. */
  readonly progressMs: (contact: PeerInfo) => number
}

/** The requests to one peer, the oldest first. */
interface PeerQueue {
  readonly contact: PeerInfo
  readonly requests: Set<WaitingRequest>

  /** Whether lookups do not wait for some of them. */
  isSuspected: boolean
}

/** Milliseconds by which times may differ through rounding. */
const ROUNDING_MS = 0.001

/**
 * Detects peers that make no progress with their responses (N12). A request waits from the time it was made, or
 * from its peer's last progress. One timer serves all.
 */
export class WaitingRequests {
  readonly #init: WaitingRequestsInit
  readonly #queues = new Map<string, PeerQueue>()
  #timer: ReturnType<typeof setTimeout> | undefined
  #dueMs = Number.POSITIVE_INFINITY

  /** Whether any peer has been a suspect. */
  #hasSuspected = false

  constructor(init: WaitingRequestsInit) {
    this.#init = init
  }

  add(request: WaitingRequest): void {
    const { contact } = request
    const name = contact.id.toString()
    const queue = this.#queues.get(name)

    if (queue === undefined) {
      this.#queues.set(name, { contact, requests: new Set([request]), isSuspected: false })
    } else {
      queue.requests.add(request)
    }

    this.#setTimer(dueMsOf(request, Number.NEGATIVE_INFINITY))
  }

  /** Forgets a settled request, so that it does not keep its lookup in memory. */
  delete(request: WaitingRequest): void {
    this.#queues.get(request.contact.id.toString())?.requests.delete(request)
  }

  /** Takes note that a request is due earlier than it was. */
  reschedule(request: WaitingRequest): void {
    this.#setTimer(dueMsOf(request, this.#init.progressMs(request.contact)))
  }

  /** Lists the requests in flight to a peer. */
  requestsTo({ id }: PeerInfo): WaitingRequest[] {
    return [...(this.#queues.get(id.toString())?.requests ?? [])]
  }

  /** Records that lookups do not wait for some request to a peer. */
  recordSuspicion({ id }: PeerInfo): void {
    const queue = this.#queues.get(id.toString())

    if (queue !== undefined) {
      queue.isSuspected = true
      this.#hasSuspected = true
    }
  }

  /** Lists the requests in flight to a peer, if lookups do not wait for some of them. From now on they do. */
  takeSuspected(contact: PeerInfo): WaitingRequest[] {
    const queue = this.#hasSuspected ? this.#queues.get(contact.id.toString()) : undefined

    if (queue?.isSuspected !== true) {
      return []
    }

    queue.isSuspected = false
    return this.requestsTo(contact)
  }

  /** Drops all requests. */
  clear(): void {
    clearTimeout(this.#timer)
    this.#dueMs = Number.POSITIVE_INFINITY
    this.#queues.clear()
  }

  #setTimer(dueMs: number): void {
    if (dueMs < this.#dueMs) {
      clearTimeout(this.#timer)
      this.#dueMs = dueMs
      const waitMs = Math.max(0, Math.ceil(dueMs - performance.now()))
      const onTimer = (): void => afterInput(dueMs, () => this.#sweep())
      this.#timer = setTimeout(onTimer, Math.min(waitMs, MAX_TIMER_MS))
      this.#timer.unref?.()
    }
  }

  #sweep(): void {
    this.#dueMs = Number.POSITIVE_INFINITY
    const nowMs = performance.now()
    let dueMs = Number.POSITIVE_INFINITY

    for (const [name, { contact, requests }] of this.#queues) {
      const progressMs = this.#init.progressMs(contact)

      for (const request of requests) {
        const waitedMs = nowMs - Math.max(request.askedAtMs, progressMs) + ROUNDING_MS

        while (request.isPending && waitedMs >= request.dueAfterMs) {
          request.onDue()
        }

        if (request.isPending) {
          dueMs = Math.min(dueMs, dueMsOf(request, progressMs))
        } else {
          requests.delete(request)
        }
      }

      if (requests.size === 0) {
        this.#queues.delete(name)
      }
    }

    this.#setTimer(dueMs)
  }
}

/** The time at which a request may be due. */
function dueMsOf({ askedAtMs, dueAfterMs }: WaitingRequest, progressMs: number): number {
  return Math.max(askedAtMs, progressMs) + dueAfterMs
}
