import type { Wanted } from '../../src/timing/cancellation.ts'

/** For what somebody waits for to the end. */
export const WANTED: Wanted = { isWanted: true }

/** For what nobody waits for. */
export const UNWANTED: Wanted = { isWanted: false }
