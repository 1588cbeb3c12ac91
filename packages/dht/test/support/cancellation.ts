import type { CancellationToken } from '../../src/timing/cancellation.ts'

/** A token that is never cancelled. */
export const ACTIVE: CancellationToken = { isCancelled: false }

/** A cancelled token. */
export const CANCELLED: CancellationToken = { isCancelled: true }
