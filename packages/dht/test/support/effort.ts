/** Whether the tests take all the time that they need, as `npm run test:long` has them do. */
const { WAGGLE_LONG } = process.env

/** Whether the tests take all the time that they need, as `npm run test:long` has them do. */
export const IS_LONG: boolean = WAGGLE_LONG === '1'

/** Makes the options of `fc.assert` for a law: five times the cases in the long suite. A failure prints the seed that replays it. */
export function law(cases = 2_000): { numRuns: number } {
  return { numRuns: IS_LONG ? 5 * cases : cases }
}
