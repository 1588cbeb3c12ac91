import type { Found } from '@waggle/record'
import { shown } from '../text/value-text.ts'

/** Who has said whether they come. */
export interface Guest {
  readonly name: string
  readonly answer: string

  /** Until when that holds, unless they say it again. */
  readonly expirationTime: number
}

/** Something that has happened at the party. */
export interface PartyEvent {
  readonly text: string
  readonly time: number
}

/** All guests by name, of what is stored under the party's key. */
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

/** What has happened between two looks at the guests. Saying the same again is nothing. */
export function happened(
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

/** Names need no quotes, and control characters stay escaped. */
function plain(text: string): string {
  return /^"[^"\\]*"$/.test(text) ? text.slice(1, -1) : text
}
