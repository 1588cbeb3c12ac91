import { raceSignal } from 'race-signal'
import { DEFAULT_CALL_TIMEOUT_MS } from './constants.ts'
import { TimeoutError } from './errors.ts'
import type { CallOptions } from './interface.ts'

/** The longest that a timer can wait; longer ones would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

/**
 * Runs one call with a signal that is aborted when the caller's is or when the call has taken too
 * long. Then the call rejects at once with the reason, whatever is still under way.
 */
export async function withDeadline<T>(
  name: string,
  { signal, timeoutMs = DEFAULT_CALL_TIMEOUT_MS }: CallOptions,
  call: (signal: AbortSignal) => Promise<T>
): Promise<T> {
  if (typeof timeoutMs !== 'number' || !(timeoutMs > 0)) {
    throw new TypeError(`timeoutMs must be a positive number of milliseconds, got ${timeoutMs}`)
  }

  signal?.throwIfAborted()
  const deadline = new AbortController()
  const timer = setTimeout(
    () => deadline.abort(new TimeoutError(`${name} took longer than ${timeoutMs} ms`)),
    Math.min(timeoutMs, MAX_TIMER_MS)
  )
  const either = anySignal(signal, deadline.signal)

  try {
    return await raceSignal(call(either), either)
  } finally {
    clearTimeout(timer)
  }
}

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
