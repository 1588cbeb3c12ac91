import type { Found } from '@waggle/record'
import { shown } from '../text/value-text.ts'

/** A guest who has said whether they come. */
export interface Guest {
  readonly name: string
  readonly answer: string

  /** When the answer expires, unless the guest repeats it. */
  readonly expirationTime: number
}

/** A change of the guests. */
export interface PartyEvent {
  readonly text: string
  readonly time: number
}

/** Lists the guests by name, from the value of the party's key. */
export function guestsOf(found: Found | undefined): Guest[] {
  if (!(found?.value instanceof Map)) {
    return []
  }

  return Array.from(found.value, ([name, { value, expirationTime }]) => ({
    name: plain(shown(name)),
    answer: plain(shown(value)),
    expirationTime
  })).sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Lists the changes between two states. A repeated answer is not a change. */
export function changesBetween(
  before: readonly Guest[],
  after: readonly Guest[],
  time: number
): PartyEvent[] {
  const find = (guests: readonly Guest[], name: string): Guest | undefined =>
    guests.find((guest) => guest.name === name)
  const came = after.flatMap(({ name, answer }) => {
    const earlier = find(before, name)
    return earlier?.answer === answer
      ? []
      : [`${name} ${earlier === undefined ? 'is here and' : 'now'} says ${answer}`]
  })
  const went = before
    .filter(({ name }) => find(after, name) === undefined)
    .map(({ name }) => `${name} has gone`)
  return [...came, ...went].map((text) => ({ text, time }))
}

/** Removes the quotes from a name; control characters stay escaped. */
function plain(text: string): string {
  return /^"[^"\\]*"$/.test(text) ? text.slice(1, -1) : text
}
