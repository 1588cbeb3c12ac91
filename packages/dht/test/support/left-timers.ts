type Timer = ReturnType<typeof setTimeout>

const { setTimeout: start, clearTimeout: stop } = globalThis

/** Timers that have neither rung nor been cleared. */
const pending = new Set<Timer>()

function starting(run: (...parts: unknown[]) => void, ms?: number, ...parts: unknown[]): Timer {
  const ring = (): void => {
    pending.delete(timer)
    run(...parts)
  }
  const timer = start(ring, ms)
  pending.add(timer)
  return timer
}

function stopping(timer: Timer | undefined): void {
  timer !== undefined && pending.delete(timer)
  stop(timer)
}

Object.defineProperties(starting, Object.getOwnPropertyDescriptors(start))
Object.assign(globalThis, { setTimeout: starting, clearTimeout: stopping })

/**
 * Clears the timers that a test file has left. Recurring ones would otherwise run among the manual timers of a later
 * file of the worker, and never end there.
 */
export function clearLeftTimers(): void {
  for (const timer of pending) {
    stopping(timer)
  }
}
