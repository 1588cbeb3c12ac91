/** Seconds: longer than the whole run. */
export const TTL = 3600

/** Something that is written: a value, or a place in a dictionary. */
export interface Entry {
  readonly key: string
  readonly value: string
  readonly subkey?: string
}

/** What one half writes: values of its own, and one place in each of as many dictionaries that both halves write to. */
export function entriesOf(half: string, records: number): Entry[] {
  return Array.from({ length: records }, (_, i) => [
    { key: `${half} ${i}`, value: `value ${i} of the ${half}` },
    { key: `shared ${i}`, value: `by the ${half}`, subkey: half }
  ]).flat()
}
