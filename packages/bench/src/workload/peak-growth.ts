/** Often enough for what takes some hundred milliseconds, and seldom enough to cost nothing. */
const SAMPLE_MS = 10

/** By how many bytes this process grew, at most, while the work was done. */
export async function peakGrowth(work: () => Promise<void>): Promise<number> {
  const before = process.memoryUsage.rss()
  let peak = before

  const sample = (): void => {
    peak = Math.max(peak, process.memoryUsage.rss())
  }
  const timer = setInterval(sample, SAMPLE_MS)

  try {
    await work()
    sample()
  } finally {
    clearInterval(timer)
  }

  return peak - before
}
