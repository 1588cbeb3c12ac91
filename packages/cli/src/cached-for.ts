/** Caches a result for a time. */
export function cachedFor<T>(maxAgeMs: number, workOut: () => Promise<T>): () => Promise<T> {
  let cached: Promise<T> | undefined
  let atMs = Number.NEGATIVE_INFINITY

  return () => {
    const nowMs = performance.now()

    if (cached === undefined || nowMs - atMs > maxAgeMs) {
      atMs = nowMs
      cached = workOut()
      cached.catch(() => {
        cached = undefined
      })
    }

    return cached
  }
}
