import { totalOf } from '../statistics.ts'
/** What a process has used so far. */
export interface Usage {
  /** CPU time of all its threads since it began. */
  readonly cpuMs: number

  /** Memory that it occupies now. */
  readonly rssBytes: number
}

/** What this process has used. */
export function usage(): Usage {
  const { user, system } = process.cpuUsage()
  return { cpuMs: (user + system) / 1000, rssBytes: process.memoryUsage.rss() }
}

/** What several processes used together. */
export function sum(usages: readonly Usage[]): Usage {
  return {
    cpuMs: totalOf(usages, ({ cpuMs }) => cpuMs),
    rssBytes: totalOf(usages, ({ rssBytes }) => rssBytes)
  }
}
