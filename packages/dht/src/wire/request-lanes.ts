import { LARGE_REQUEST_BYTES, MAX_KEYS_PER_MESSAGE } from './limits.ts'
import { type PendingRequest, RequestQueue, type RequestQueueInit } from './request-queue.ts'

/** Milliseconds for which full queues count as full after they were scanned. */
const MIN_SWEEP_MS = 10

/** Limits of the requests to one peer. */
export interface RequestLimits {
  /** Queued requests. */
  readonly maxRequests: number

  /** Bytes of requests that are queued or in flight. */
  readonly maxRequestBytes: number
}

/** Requests to one peer in two queues: bulk and large ones, and the others, which pass them. */
export class RequestLanes<Q, R> {
  readonly others: RequestQueue<Q, R>
  readonly bulk: RequestQueue<Q, R>
  readonly #init: RequestQueueInit<Q>
  readonly #limits: RequestLimits

  /** Bulk requests in one message. */
  #maxBulk = MAX_KEYS_PER_MESSAGE

  /** Time of the last scan for cancelled requests. */
  #sweptAtMs = Number.NEGATIVE_INFINITY

  constructor(init: RequestQueueInit<Q>, limits: RequestLimits) {
    this.#init = init
    this.#limits = limits
    this.others = new RequestQueue(init)
    this.bulk = new RequestQueue(init)
  }

  /** Queued requests. */
  get length(): number {
    return this.others.length + this.bulk.length
  }

  /** Bytes that they add to messages. */
  get bytes(): number {
    return this.others.bytes + this.bulk.bytes
  }

  push(pending: PendingRequest<Q, R>): void {
    this.#queueOf(pending).push(pending)
  }

  /**
   * Records how many of a message's requests were answered. The others must be sent again: the responses are large,
   * so others may pass them, and a message contains no more of them than were answered.
   */
  recordAnswers(answers: number, unanswered: readonly PendingRequest<Q, R>[]): void {
    if (unanswered.length > 0) {
      this.#maxBulk = answers
      this.bulk.putBack(unanswered)
    } else {
      this.#maxBulk = Math.min(2 * this.#maxBulk, MAX_KEYS_PER_MESSAGE)
    }
  }

  /** Takes the bulk requests of the next message. */
  takeBulk(): PendingRequest<Q, R>[] {
    return this.bulk.takeBatch(this.#maxBulk)
  }

  /** Takes all requests. */
  takeAll(): PendingRequest<Q, R>[] {
    return [...this.others.takeAll(), ...this.bulk.takeAll()]
  }

  /** Whether another request may be queued, given the bytes in flight. Removes cancelled ones if necessary. */
  hasRoom(bytesInFlight: number): boolean {
    if (!this.#isFull(bytesInFlight)) {
      return true
    }

    const nowMs = performance.now()

    // A scan takes long, and nothing has changed since a moment ago.
    if (nowMs - this.#sweptAtMs < MIN_SWEEP_MS) {
      return false
    }

    this.#sweptAtMs = nowMs
    this.dropCancelled()
    return !this.#isFull(bytesInFlight)
  }

  /** Removes cancelled requests. */
  dropCancelled(): void {
    this.others.dropCancelled()
    this.bulk.dropCancelled()
  }

  #isFull(bytesInFlight: number): boolean {
    const { maxRequests, maxRequestBytes } = this.#limits
    return this.length >= maxRequests || this.bytes + bytesInFlight >= maxRequestBytes
  }

  /** Bytes that some requests add to messages. */
  bytesOf(batch: readonly PendingRequest<Q, R>[]): number {
    return this.others.bytesOf(batch)
  }

  #queueOf({ cancellation, request }: PendingRequest<Q, R>): RequestQueue<Q, R> {
    const isBulk = cancellation?.isBulk === true || this.#init.sizeOf(request) > LARGE_REQUEST_BYTES
    return isBulk ? this.bulk : this.others
  }
}
