import { AbortError } from '@libp2p/interface'
import type { CancellationToken } from '../timing/cancellation.ts'
import { MAX_KEYS_PER_MESSAGE, TARGET_MESSAGE_BYTES } from './limits.ts'

/** A request without a response yet. */
export interface PendingRequest<Q, R> {
  readonly request: Q
  readonly cancellation: CancellationToken | undefined
  readonly resolve: (response: R) => void
  readonly reject: (error: Error) => void

  /** Number of streams that ended while it waited for them or for a response. */
  readonly repetitions?: number
}

export interface RequestQueueInit<Q> {
  /** Approximate bytes that a request adds to a message. */
  readonly sizeOf: (request: Q) => number

  /** Whether two requests can share one message. */
  readonly isAlike: (a: Q, b: Q) => boolean
}

/** Requests to one peer, in the order in which they are to be sent. Cancelled ones reject. */
export class RequestQueue<Q, R> {
  readonly #init: RequestQueueInit<Q>
  #pending: PendingRequest<Q, R>[] = []
  #bytes = 0

  constructor(init: RequestQueueInit<Q>) {
    this.#init = init
  }

  /** Queued requests. */
  get length(): number {
    return this.#pending.length
  }

  /** Bytes that they add to messages. */
  get bytes(): number {
    return this.#bytes
  }

  /** Appends a request. */
  push(pending: PendingRequest<Q, R>): void {
    this.#pending.push(pending)
    this.#bytes += this.#init.sizeOf(pending.request)
  }

  /** Puts back requests that were taken and must be sent again. */
  putBack(batch: readonly PendingRequest<Q, R>[]): void {
    this.#pending.unshift(...batch)
    this.#bytes += this.bytesOf(batch)
  }

  /** Takes the first request, and further ones that can share its message, at most `maxRequests`. */
  takeBatch(maxRequests: number = MAX_KEYS_PER_MESSAGE): PendingRequest<Q, R>[] {
    const batch: PendingRequest<Q, R>[] = []
    let sizeBytes = 0
    let taken = 0

    for (const pending of this.#pending) {
      const bytes = this.#init.sizeOf(pending.request)

      if (isWanted(pending)) {
        if (batch.length >= maxRequests || !this.#fits(pending.request, batch, sizeBytes + bytes)) {
          break
        }

        sizeBytes += bytes
        batch.push(pending)
      }

      this.#bytes -= bytes
      taken++
    }

    this.#pending.splice(0, taken)
    return batch
  }

  /** Takes all requests. */
  takeAll(): PendingRequest<Q, R>[] {
    const all = this.#pending
    this.#pending = []
    this.#bytes = 0
    return all
  }

  /** Removes cancelled requests. */
  dropCancelled(): void {
    for (const pending of this.takeAll()) {
      if (isWanted(pending)) {
        this.push(pending)
      }
    }
  }

  /** Bytes that some requests add to messages. */
  bytesOf(batch: readonly PendingRequest<Q, R>[]): number {
    return batch.reduce((sum, { request }) => sum + this.#init.sizeOf(request), 0)
  }

  /** Whether a request can be added to a message, given its size afterwards. */
  #fits(request: Q, batch: readonly PendingRequest<Q, R>[], sizeBytes: number): boolean {
    const [first] = batch
    return (
      first === undefined ||
      (sizeBytes <= TARGET_MESSAGE_BYTES && this.#init.isAlike(request, first.request))
    )
  }
}

/** Rejects requests with one reason. */
export function rejectAll<Q, R>(requests: readonly PendingRequest<Q, R>[], error: Error): void {
  for (const { reject } of requests) {
    reject(error)
  }
}

/** Returns whether a request is still wanted, and rejects it if it was cancelled. */
function isWanted<Q, R>({ cancellation, reject }: PendingRequest<Q, R>): boolean {
  const isWanted = cancellation?.isCancelled !== true

  if (!isWanted) {
    reject(CANCELLED)
  }

  return isWanted
}

/** A single instance: an error with its stack is expensive on the path of every get. */
const CANCELLED = new AbortError('the request was cancelled')
