/**
 * Runs a function once, later, and returns a function that cancels it. Without a delay it runs after all available
 * input has been handled.
 */
export function runLater(delayMs: number, run: () => void): () => void {
  if (delayMs === 0 && typeof setImmediate === 'function') {
    const immediate = setImmediate(run)
    return () => clearImmediate(immediate)
  }

  const timer = setTimeout(run, delayMs)
  return () => clearTimeout(timer)
}
