import type { PendingRequest } from './request-queue.ts'
import type { MessageCodec } from './schema.ts'

/** Converts the requests of a protocol to one peer to messages, and its messages to responses. */
export interface RequestProtocol<Q, R, M> {
  readonly codec: MessageCodec<M>

  /** Approximate bytes that a request adds to a message. */
  sizeOf(request: Q): number

  /** Whether two requests can share one message. */
  isAlike(a: Q, b: Q): boolean

  /** Returns the message for requests which are alike. Called when they are sent. */
  messageOf(requests: readonly PendingRequest<Q, R>[], id: number): M

  /** Returns the id of the requests that a message replies to. Without it, replies come in the order of requests. */
  idOf?(message: M): number

  /** Processes a message that is not a reply. Returns false if it is a reply. */
  onNotice?(message: M): boolean

  /**
   * Returns the responses to the first requests of a message, at least one, or the error that all of them get.
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

  /** Time at which they were sent, in ms of the process's clock. */
  readonly sentMs: number
}
