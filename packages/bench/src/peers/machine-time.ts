import process from 'node:process'

/** Milliseconds of the system's steady clock, which all processes of one machine share; of no known beginning. */
export function machineTimeMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
