import type { DHTTime } from './interface.ts'

/** The time that all peers share: Unix seconds as a float, as in Hivemind. */
export function getDHTTime(): DHTTime {
  return Date.now() / 1000
}
