const { WAGGLE_LONG } = process.env

/** Whether this run is thorough, as `npm run test:long` asks for. */
export const IS_LONG: boolean = WAGGLE_LONG === '1'

/**
 * Milliseconds for which a law may be tested, which is less than a test may take. One that takes longer fails with the case
 * that it has found: making that case as small as can be often takes longest.
 */
const MAX_LAW_MS = 50_000

/** Makes the options of `fc.assert` for a law: five times the cases in the long suite. */
export function law(cases = 2_000): {
  numRuns: number
  interruptAfterTimeLimit?: number
  markInterruptAsFailure?: boolean
} {
  return IS_LONG
    ? { numRuns: 5 * cases }
    : { numRuns: cases, interruptAfterTimeLimit: MAX_LAW_MS, markInterruptAsFailure: true }
}
