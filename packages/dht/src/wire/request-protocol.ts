import type { PendingRequest } from './request-queue.ts'
import type { MessageCodec } from './schema.ts'

/** How the requests of a protocol to one peer become messages, and its messages become responses. */
export interface RequestProtocol<Q, R, M> {
  readonly codec: MessageCodec<M>

  /** Bytes that a request adds to a message, or nearly so. */
  sizeOf(request: Q): number

  /** Whether two requests can go in one message. */
  isAlike(a: Q, b: Q): boolean

  /** Returns the message that carries requests which are alike. Called when they are sent. */
  messageOf(requests: readonly PendingRequest<Q, R>[], id: number): M

  /** Returns the id of the requests that a message replies to. Without it, replies come in the order of requests. */
  idOf?(message: M): number

  /** Takes in a message that replies to nothing. Returns false if it is none. */
  onNotice?(message: M): boolean

  /**
   * Returns the responses to the first requests of a message, at least one, or why all of them fail.
   * Requests without a response are sent again.
   *
   * @throws ProtocolViolationError for a message that does not reply to these requests
   */
  responsesOf(message: M, sent: SentRequests<Q, R>): readonly R[] | Error

  /** Whether the stream may end while no request waits or is in flight. It stays open without this. */
  isIdle?(): boolean
}

/** Requests that were sent in one message. */
export interface SentRequests<Q, R> {
  readonly requests: readonly PendingRequest<Q, R>[]

  /** When, in ms of the process's clock. */
  readonly sentMs: number
}
