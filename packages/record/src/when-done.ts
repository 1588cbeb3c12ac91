/** What comes now or later. */
export type MaybePromise<T> = T | PromiseLike<T>

/**
 * Goes on with what comes now or later: at once with what is there, so that what need not wait
 * does not.
 */
export function whenDone<T, U>(
  value: MaybePromise<T>,
  next: (value: T) => MaybePromise<U>
): MaybePromise<U> {
  return isPromise(value) ? value.then(next) : next(value)
}

/** Whether it comes later. */
export function isPromise<T>(value: MaybePromise<T>): value is PromiseLike<T> {
  return (
    typeof value === 'object' &&
    value !== null &&
    'then' in value &&
    typeof value.then === 'function'
  )
}
