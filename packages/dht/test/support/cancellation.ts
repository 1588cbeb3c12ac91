import type { CancellationToken } from '../../src/timing/cancellation.ts'

/** A caller that waits to the end. */
export const ACTIVE: CancellationToken = { isCancelled: false }

/** A caller that has gone. */
export const CANCELLED: CancellationToken = { isCancelled: true }
