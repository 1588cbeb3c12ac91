export interface Sampled {
  figure(): number

  /** How often it is looked at. */
  readonly everyMs: number
}

/** The greatest that a figure was while the work was done. */
export async function peakOf(
  { figure, everyMs }: Sampled,
  work: () => Promise<void>
): Promise<number> {
  let peak = figure()

  const sample = (): void => {
    peak = Math.max(peak, figure())
  }
  const timer = setInterval(sample, everyMs)

  try {
    await work()
    sample()
  } finally {
    clearInterval(timer)
  }

  return peak
}
