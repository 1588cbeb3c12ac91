/**
 * Runs something later, once; gives back what calls it off. Without a delay it runs as soon as all
 * input that is there has been taken in.
 */
export function cancellable(delayMs: number, run: () => void): () => void {
  if (delayMs === 0 && typeof setImmediate === 'function') {
    const immediate = setImmediate(run)
    return () => clearImmediate(immediate)
  }

  const timer = setTimeout(run, delayMs)
  return () => clearTimeout(timer)
}
