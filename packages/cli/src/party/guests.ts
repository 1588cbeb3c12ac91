import type { Change } from '@waggle/dht/handles'
import type { Found, Subkey, Value } from '@waggle/record'
import { shown } from '../text/value-text.ts'

/** A guest who has answered. */
export interface Guest {
  readonly name: string
  readonly answer: string

  /** Expiration of the answer, unless the guest repeats it. */
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

/** Describes the changes of the party's key. A repeated answer is not an event. */
export function eventsOf(
  changes: readonly Change<Subkey | undefined, Value, true>[],
  time: number
): PartyEvent[] {
  return changes.flatMap((change) => {
    const { subkey } = change
    const text = eventText(change)
    // A plain value is not a guest's answer.
    return subkey === undefined || text === undefined
      ? []
      : { text: `${plain(shown(subkey))} ${text}`, time }
  })
}

function eventText(change: Change<Subkey | undefined, Value, true>): string | undefined {
  switch (change.type) {
    case 'added':
      return `is here and says ${plain(shown(change.found.value))}`
    case 'changed':
      return `now says ${plain(shown(change.found.value))}`
    case 'removed':
      return 'has gone'
    default:
      return undefined
  }
}

/** Removes the quotes from a name; control characters stay escaped. */
function plain(text: string): string {
  return /^"[^"\\]*"$/.test(text) ? text.slice(1, -1) : text
}
