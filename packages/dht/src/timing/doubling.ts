/** Returns a time that doubles with each failure after the first, up to a limit. */
export function doubled(
  first: number,
  failures: number,
  most: number = Number.POSITIVE_INFINITY
): number {
  return Math.min(first * 2 ** failures, most)
}

/**
 * Returns from half of a time to all of it, at random, so that peers that failed at the same moment do not all retry at the
 * same moment.
 */
export function spread(ms: number, random: number = Math.random()): number {
  return ms * (0.5 + random / 2)
}
