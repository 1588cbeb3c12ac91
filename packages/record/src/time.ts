/** DHT time: Unix seconds as a float. */
export type DHTTime = number

/** The current DHT time, which all peers share. */
export function getDHTTime(): DHTTime {
  return Date.now() / 1000
}
