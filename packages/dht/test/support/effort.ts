const { WAGGLE_LONG } = process.env

/** Whether this run is thorough, as `npm run test:long` asks for. */
export const IS_LONG: boolean = WAGGLE_LONG === '1'

/** Makes the options of `fc.assert` for a law: five times the cases in the long suite. */
export function law(cases = 2_000): { numRuns: number } {
  return { numRuns: IS_LONG ? 5 * cases : cases }
}
