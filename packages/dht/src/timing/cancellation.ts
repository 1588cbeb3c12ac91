/**
 * Tells whether a caller still waits. It costs less than an `AbortSignal`, as every request has one
 * and it notifies nobody.
 */
export interface CancellationToken {
  readonly isCancelled: boolean

  /** Whether the requests are many, and let others pass (N12). */
  readonly isBulk?: boolean | undefined
}
