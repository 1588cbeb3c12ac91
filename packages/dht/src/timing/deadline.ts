/** The longest that a timer can wait; longer ones would fire at once. */
export const MAX_TIMER_MS: number = 2 ** 31 - 1

/** Is aborted after so many milliseconds. A timer takes whole ones only, and not any number of them. */
export function timeoutSignal(ms: number): AbortSignal {
  return AbortSignal.timeout(Math.min(Math.ceil(ms), MAX_TIMER_MS))
}

/** One signal for several; those that are missing don't count. */
export function anySignal(...signals: (AbortSignal | undefined)[]): AbortSignal {
  const [first, ...others] = signals.filter((signal) => signal !== undefined)
  return others.length === 0 && first !== undefined
    ? first
    : AbortSignal.any([...(first ? [first] : []), ...others])
}
