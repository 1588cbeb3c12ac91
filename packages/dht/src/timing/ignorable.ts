/** Lets callers ignore a promise: its rejection is for those who await it, and no uncaught error. */
export function ignorable<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}
