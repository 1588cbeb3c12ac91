/** Maximum milliseconds of a timer. A longer one would fire at once. */
export const MAX_TIMER_MS: number = 2 ** 31 - 1

/** Creates a signal that is aborted after `ms`, rounded up and capped to a timer's range. */
export function timeoutSignal(ms: number): AbortSignal {
  return AbortSignal.timeout(Math.min(Math.ceil(ms), MAX_TIMER_MS))
}

/** Combines several signals into one. Ignores undefined ones. */
export function anySignal(...signals: (AbortSignal | undefined)[]): AbortSignal {
  const [first, ...others] = signals.filter((signal) => signal !== undefined)
  return others.length === 0 && first !== undefined
    ? first
    : AbortSignal.any([...(first ? [first] : []), ...others])
}
