import { BulkLimit } from './bulk-limit.ts'
import { MAX_OTHER_BYTES_IN_FLIGHT, MAX_REQUESTS_IN_FLIGHT } from './limits.ts'
import type { SentRequests } from './request-protocol.ts'
import type { PendingRequest } from './request-queue.ts'

interface Sent<Q, R> extends SentRequests<Q, R> {
  /** Approximate bytes of its requests. */
  readonly bytes: number

  /** Whether other messages may pass it. */
  readonly isBulk: boolean
}

/** Unanswered messages to one peer by their ids, the oldest first. */
export class RequestsInFlight<Q, R> {
  readonly #messages = new Map<number, Sent<Q, R>>()
  readonly #bulkLimit = new BulkLimit()
  #bulk = 0
  #bytes = 0
  #bulkBytes = 0

  get size(): number {
    return this.#messages.size
  }

  /** Bytes of all requests. */
  get bytes(): number {
    return this.#bytes
  }

  get hasRoomForBulk(): boolean {
    return this.#bulk < this.#bulkLimit.max
  }

  /** Whether there is room for requests other than bulk ones, whose bytes are not acknowledged. */
  get hasRoomForOthers(): boolean {
    const otherBytes = this.#bytes - this.#bulkBytes
    return this.size < MAX_REQUESTS_IN_FLIGHT && otherBytes < MAX_OTHER_BYTES_IN_FLIGHT
  }

  get(id: number): SentRequests<Q, R> | undefined {
    return this.#messages.get(id)
  }

  /** The id of the oldest message; undefined if there is none. */
  get oldest(): number | undefined {
    const [id] = this.#messages.keys()
    return id
  }

  add(id: number, sent: Sent<Q, R>): void {
    this.#messages.set(id, sent)
    this.#count(sent, 1)
  }

  /** Removes an answered message. */
  answer(id: number): void {
    const sent = this.#messages.get(id)

    if (sent?.isBulk) {
      this.#bulkLimit.record(sent.sentMs, performance.now())
    }

    this.delete(id)
  }

  delete(id: number): void {
    const sent = this.#messages.get(id)

    if (sent !== undefined) {
      this.#messages.delete(id)
      this.#count(sent, -1)
    }
  }

  /** Takes all requests. */
  takeAll(): PendingRequest<Q, R>[] {
    const all = [...this.#messages.values()].flatMap(({ requests }) => requests)
    this.#messages.clear()
    return all
  }

  #count({ bytes, isBulk }: Sent<Q, R>, sign: 1 | -1): void {
    this.#bytes += sign * bytes

    if (isBulk) {
      this.#bulk += sign
      this.#bulkBytes += sign * bytes
    }
  }
}
