/** Answers with what was worked out before, unless that is too long ago. */
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
