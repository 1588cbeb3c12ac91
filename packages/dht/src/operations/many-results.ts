import { NotReadError } from '../errors.ts'
import { isNotStored, type NotStored, NotStoredError, type StoreReport } from './store-report.ts'
import type { Written } from './writer.ts'

/** Why one of many items has no result. */
export class Failure {
  readonly reason: unknown

  constructor(reason: unknown) {
    this.reason = reason
  }
}

/** Returns the answers of `getMany`, or throws an error that carries them if some keys could not be read. */
export function answersOf<T>(results: readonly (T | Failure)[]): T[] {
  if (results.some((result) => result instanceof Failure)) {
    throw new NotReadError(settled(results))
  }

  return results as T[]
}

/** Describes each result, and missing ones by the reason. */
export function settled<T>(
  results: readonly (T | Failure)[],
  { count = results.length, reason }: { count?: number; reason?: unknown } = {}
): PromiseSettledResult<T>[] {
  return Array.from({ length: count }, (_, i) => {
    const result = i in results ? (results[i] as T | Failure) : new Failure(reason)
    return result instanceof Failure
      ? { status: 'rejected', reason: result.reason }
      : { status: 'fulfilled', value: result }
  })
}

/** The outcome of one of many writes. Of one that is held it is only the expiration, as there may be very many. */
export type BriefResult = number | Written

/** Returns the answers of `storeMany`, or throws an error with reports of all writes if a replica has not one of them. */
export async function storedOf(
  results: readonly BriefResult[],
  reportOf: (written: Written) => Promise<StoreReport>
): Promise<boolean[]> {
  const outcome = results.map(notStored).find((outcome) => outcome !== undefined)

  if (outcome !== undefined) {
    const reports = results.map((result) =>
      typeof result === 'number' ? heldReport(result) : reportOf(result)
    )
    throw new NotStoredError(outcome, await Promise.all(reports))
  }

  return results.map((result) => typeof result === 'number')
}

/** Describes what became of a write as the result of a call. */
export function storedOrFailure(result: BriefResult): boolean | Failure {
  const outcome = notStored(result)
  return outcome === undefined
    ? typeof result === 'number'
    : new Failure(new NotStoredError(outcome, []))
}

function notStored(result: BriefResult): NotStored | undefined {
  const outcome = typeof result === 'number' ? 'held' : result.outcome
  return isNotStored(outcome) ? outcome : undefined
}

function heldReport(expirationTime: number): StoreReport {
  return { outcome: 'held', expirationTime, replicas: [] }
}
