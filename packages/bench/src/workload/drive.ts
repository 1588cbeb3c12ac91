import { medianOf, percentile, totalOf } from './statistics.ts'

export interface Load {
  readonly count: number

  /** Operations that run at the same time; the next one starts when one ends. */
  readonly inFlight: number

  /** Time after which no further operation starts. */
  readonly limitMs?: number
}

/** Times and failures of a load: plain data that a child process can send. */
export interface Measured {
  /** One per started operation, failed ones included. */
  readonly latenciesMs: readonly number[]
  readonly elapsedMs: number

  /** Indexes of the failed operations. */
  readonly failed: readonly number[]

  /** Reason of the first failure. */
  readonly failure?: string
}

/** Runs one operation; resolves with whether its answer is right. */
export type Operate = (index: number) => Promise<boolean>

/** Runs operations and times each. An operation fails if it rejects or its answer is wrong. */
export async function drive(operate: Operate, load: Load): Promise<Measured> {
  const { count, inFlight, limitMs = Number.POSITIVE_INFINITY } = load
  const latenciesMs: number[] = []
  const failed: number[] = []
  let failure: string | undefined
  let next = 0
  const start = performance.now()

  await atOnce(inFlight, async () => {
    if (next >= count || performance.now() - start >= limitMs) {
      return false
    }

    const begin = performance.now()
    const index = next++
    const problem = await problemOf(operate, index)
    latenciesMs.push(performance.now() - begin)

    if (problem !== undefined) {
      failed.push(index)
      failure ??= problem
    }

    return true
  })

  const elapsedMs = performance.now() - start
  return { latenciesMs, elapsedMs, failed, ...(failure !== undefined && { failure }) }
}

/** Repeats a step in several places at once, until it resolves with false in each. */
export async function atOnce(count: number, step: () => Promise<boolean>): Promise<void> {
  const work = async (): Promise<void> => {
    while (await step()) {
      // The loop only runs the step.
    }
  }

  await Promise.all(Array.from({ length: count }, work))
}

async function problemOf(operate: Operate, index: number): Promise<string | undefined> {
  try {
    return (await operate(index)) ? undefined : 'the answer is wrong'
  } catch (error) {
    return String(error)
  }
}

/** Returns successful operations per second. */
export function rate({ latenciesMs, elapsedMs, failed }: Measured): number {
  return ((latenciesMs.length - failed.length) / elapsedMs) * 1000
}

/** Medians over repeated measurements, with their failures added up. */
export interface Latency {
  readonly p50Ms: number
  readonly p95Ms: number

  /** Operations per second. */
  readonly rate: number
  readonly failed: number
  readonly count: number
}

/** Summarizes repeated measurements; undefined if there are none. */
export function latencyOf(measured: readonly Measured[]): Latency | undefined {
  return measured.length === 0
    ? undefined
    : {
        p50Ms: medianOf(measured, ({ latenciesMs }) => percentile(latenciesMs, 0.5)),
        p95Ms: medianOf(measured, ({ latenciesMs }) => percentile(latenciesMs, 0.95)),
        rate: medianOf(measured, rate),
        failed: totalOf(measured, ({ failed }) => failed.length),
        count: totalOf(measured, ({ latenciesMs }) => latenciesMs.length)
      }
}
