/** A value, or a promise of one. */
export type MaybePromise<T> = T | PromiseLike<T>

/**
 * Calls `next` with the value: at once unless it is a promise, so that nothing waits needlessly.
 */
export function whenDone<T, U>(
  value: MaybePromise<T>,
  next: (value: T) => MaybePromise<U>
): MaybePromise<U> {
  return isPromise(value) ? value.then(next) : next(value)
}

/** Whether the value is a promise. */
export function isPromise<T>(value: MaybePromise<T>): value is PromiseLike<T> {
  return (
    typeof value === 'object' &&
    value !== null &&
    'then' in value &&
    typeof value.then === 'function'
  )
}
