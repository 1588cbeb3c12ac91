import { TimeoutError } from '../errors.ts'
import { anySignal } from './deadline.ts'

/** Milliseconds of a step: the precision of this clock, and the most that one interruption counts. */
export const STEP_MS = 100

/**
 * Calls a function at each step of the time for which this process runs; returns a function that ends that. Steps
 * that a blocked or stopped process misses are not made up for: its own interruptions are nobody else's delay (N12).
 */
export function eachStep(step: () => void): () => void {
  const timer = setInterval(step, STEP_MS)
  timer.unref?.()
  return () => clearInterval(timer)
}

/** Calls a function once the process has run for `ms`; returns a function that cancels the call. */
export function afterRunning(ms: number, run: () => void): () => void {
  let left = Math.ceil(ms / STEP_MS)
  const stop = eachStep(() => {
    left--

    if (left <= 0) {
      stop()
      run()
    }
  })
  return stop
}

/** Runs work with a signal that is aborted once the process has run for `ms`, or with another signal. */
export async function inRunningTime<T>(
  ms: number,
  work: (signal: AbortSignal) => Promise<T>,
  signal?: AbortSignal
): Promise<T> {
  const late = new AbortController()
  const cancel = afterRunning(ms, () => late.abort(new TimeoutError(`no answer within ${ms} ms`)))

  try {
    return await work(anySignal(late.signal, signal))
  } finally {
    cancel()
  }
}
