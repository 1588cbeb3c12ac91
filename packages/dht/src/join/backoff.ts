import { doubled, spread } from '../timing/doubling.ts'

/** Milliseconds before the first retry of a failed peer. They double each time. */
export const FIRST_RETRY_MS = 1000

/** Maximum milliseconds between two retries. */
export const MAX_RETRY_MS = 60_000

/** Maximum milliseconds between two retries while this node has no peer at all. */
export const MAX_LONELY_RETRY_MS = 10_000

export interface BackoffOptions {
  /** Whether this node has no peer at all. */
  readonly isLonely: boolean

  /** Random number from 0 to 1. */
  readonly random: number
}

/**
 * Returns the milliseconds to wait after a number of failures in a row. Part of it is random, so that peers which
 * lost each other at the same moment do not all retry at the same moment.
 */
export function backoffMs(failures: number, { isLonely, random }: BackoffOptions): number {
  const longest = isLonely ? MAX_LONELY_RETRY_MS : MAX_RETRY_MS
  return spread(doubled(FIRST_RETRY_MS, failures, longest), random)
}
