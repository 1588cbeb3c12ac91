/**
 * Shows whether a caller still waits. Every request has one, and it costs less than an `AbortSignal` because it has
 * no listeners.
 */
export interface CancellationToken {
  readonly isCancelled: boolean

  /** Whether the requests are bulk, which others may pass (N12). */
  readonly isBulk?: boolean | undefined

  /** Called when the connection has ended before the response. The request is repeated on another one. */
  onRepeat?(): void
}
