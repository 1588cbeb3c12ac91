import { TimeoutError } from '../errors.ts'
import { MAX_TIMER_MS } from './deadline.ts'

/** A signal that is aborted after a time without progress, until it is stopped. */
export interface ProgressSignal extends Disposable {
  readonly signal: AbortSignal
}

/**
 * Creates a signal for work that may take any time while it makes progress.
 *
 * @param progressMs - returns the time of the last progress, in ms of the process's clock
 */
export function progressSignal(timeoutMs: number, progressMs: () => number): ProgressSignal {
  const controller = new AbortController()
  const startMs = performance.now()
  let timer: ReturnType<typeof setTimeout> | undefined
  const wait = (): void => {
    const leftMs = Math.max(startMs, progressMs()) + timeoutMs - performance.now()

    if (leftMs <= 0) {
      controller.abort(new TimeoutError(`no progress within ${timeoutMs} ms`))
    } else {
      timer = setTimeout(wait, Math.min(Math.ceil(leftMs), MAX_TIMER_MS))
      timer.unref?.()
    }
  }
  wait()
  return { signal: controller.signal, [Symbol.dispose]: () => clearTimeout(timer) }
}
