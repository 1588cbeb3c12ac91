import type { Overview } from '../control/overview.ts'

/** Amounts per second; undefined without metrics. */
export interface Rates {
  readonly stored: number | undefined
  readonly expired: number | undefined
  readonly receivedBytes: number | undefined
  readonly sentBytes: number | undefined

  /** Processor cores in use. */
  readonly cpu: number | undefined
}

/** Computes the rates between two states of a node. */
export function ratesBetween(before: Overview | undefined, after: Overview): Rates {
  const seconds = after.uptimeSeconds - (before?.uptimeSeconds ?? after.uptimeSeconds)
  const rate = (name: keyof Overview['counters']): number | undefined => {
    const [from, to] = [before?.counters[name], after.counters[name]]
    return from === undefined || to === undefined || seconds <= 0
      ? undefined
      : (to - from) / seconds
  }

  return {
    stored: rate('stored'),
    expired: rate('expired'),
    receivedBytes: rate('receivedBytes'),
    sentBytes: rate('sentBytes'),
    cpu: rate('cpuSeconds')
  }
}
