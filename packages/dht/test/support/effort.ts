const { WAGGLE_LONG } = process.env

/** Whether this run is thorough, as `npm run test:long` asks for. */
export const IS_LONG: boolean = WAGGLE_LONG === '1'

/** Milliseconds after which a law that has failed says so, however much smaller its case could become. */
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
