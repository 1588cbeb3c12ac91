/** Milliseconds before a peer that failed is tried again; they double each time. */
export const FIRST_RETRY_MS = 1000

/** Milliseconds between two tries at most. */
export const MAX_RETRY_MS = 60_000

/** The same while this node has no peer at all. */
export const MAX_LONELY_RETRY_MS = 10_000

export interface BackoffOptions {
  /** Whether this node has no peer at all. */
  readonly isLonely: boolean

  /** From 0 to 1. */
  readonly random: number
}

/**
 * Says how many milliseconds to wait after so many failures in a row. A part of it is random, so that
 * peers which lost each other at the same moment do not all come back at the same moment.
 */
export function backoffMs(failures: number, { isLonely, random }: BackoffOptions): number {
  const longest = isLonely ? MAX_LONELY_RETRY_MS : MAX_RETRY_MS
  return Math.min(FIRST_RETRY_MS * 2 ** failures, longest) * (0.5 + random / 2)
}
