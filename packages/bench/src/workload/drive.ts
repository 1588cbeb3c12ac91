/** How many operations, and how. */
export interface Load {
  readonly count: number

  /** How many run at the same time; the next starts when one ends. */
  readonly inFlight: number

  /** After this time no further one starts. */
  readonly limitMs?: number
}

/** How it went: plain data, as it comes from another process. */
export interface Measured {
  /** Of each operation that was started, those that failed too. */
  readonly latenciesMs: readonly number[]
  readonly elapsedMs: number

  /** Which of them failed, by their index. */
  readonly failed: readonly number[]

  /** Why the first that failed did. */
  readonly failure?: string
}

/** Does one operation; true if its answer is right. */
export type Operate = (index: number) => Promise<boolean>

/** Runs operations, and takes the time of each. One that rejects has failed, as has a wrong answer. */
export async function drive(operate: Operate, load: Load): Promise<Measured> {
  const { count, inFlight, limitMs = Number.POSITIVE_INFINITY } = load
  const latenciesMs: number[] = []
  const failed: number[] = []
  let failure: string | undefined
  let next = 0
  const start = performance.now()

  const work = async (): Promise<void> => {
    while (next < count && performance.now() - start < limitMs) {
      const begin = performance.now()
      const index = next++
      const problem = await problemOf(operate, index)
      latenciesMs.push(performance.now() - begin)

      if (problem !== undefined) {
        failed.push(index)
        failure ??= problem
      }
    }
  }

  await Promise.all(Array.from({ length: Math.min(inFlight, count) }, work))

  return {
    latenciesMs,
    elapsedMs: performance.now() - start,
    failed,
    ...(failure !== undefined && { failure })
  }
}

async function problemOf(operate: Operate, index: number): Promise<string | undefined> {
  try {
    return (await operate(index)) ? undefined : 'the answer is wrong'
  } catch (error) {
    return String(error)
  }
}

/** Operations per second, of those that did not fail. */
export function rate({ latenciesMs, elapsedMs, failed }: Measured): number {
  return ((latenciesMs.length - failed.length) / elapsedMs) * 1000
}
