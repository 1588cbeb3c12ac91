/**
 * Calls a listener. Its errors are uncaught, as with an EventTarget, and disturb no other listener.
 */
export function tell<E>(listener: ((event: E) => void) | undefined, event: E): void {
  try {
    listener?.(event)
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}
