import { TimeoutError } from '../errors.ts'
import { MAX_TIMER_MS } from './deadline.ts'
import { afterInput } from './end-of-turn.ts'

/** Settles as the promise does, or rejects after `ms`. */
export function inTime<T>(promise: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const dueMs = performance.now() + ms
    const onTimer = (): void =>
      afterInput(dueMs, () => reject(new TimeoutError(`no answer within ${ms} ms`)))
    const timer = setTimeout(onTimer, Math.min(ms, MAX_TIMER_MS))
    timer.unref?.()
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
