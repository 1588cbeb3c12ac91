/** Calls a listener. What it throws is uncaught, as with an EventTarget, and disturbs nobody else. */
export function tell<E>(listener: ((event: E) => void) | undefined, event: E): void {
  try {
    listener?.(event)
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}
