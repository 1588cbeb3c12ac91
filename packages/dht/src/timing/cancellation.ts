/**
 * Tells whether a caller still waits. An `AbortSignal` says the same, but every request has one of
 * these, and it only needs to be asked, never to notify.
 */
export interface CancellationToken {
  readonly isCancelled: boolean
}
