import type { StoreReport } from '@waggle/dht'
import { type Found, getDHTTime, type Key, recordKey, type Subkey } from '@waggle/record'
import { placeOwner, subkeyId } from '@waggle/record/replica'
import { CommandError } from '../errors.ts'
import { subkeyEntry } from '../network/subkey-entry.ts'
import { shownMoment } from '../text/time.ts'
import { shownPlace } from './places.ts'

/** The place of a write that was refused. */
export interface RefusedPlace {
  readonly key: Key
  readonly subkey: Subkey | undefined
}

/** Explains why a write is not held. Imports the library's errors lazily, so that other commands start faster. */
export async function refusal(report: StoreReport, place: RefusedPlace): Promise<Error> {
  const { NotStoredError, UnreachableError } = await import('@waggle/dht')

  switch (report.outcome) {
    case 'unreachable':
      return new UnreachableError(report.replicas.length)
    case 'full':
    case 'refused':
    case 'busy':
      return new NotStoredError(report.outcome, [report])
    case 'beaten':
      return beaten(report.by, place)
    default:
      return pastExpiration(shownPlace(place.key, place.subkey))
  }
}

/** Refuses a write that has expired before it begins. */
export function pastExpiration(place: string): CommandError {
  return new CommandError(
    `refused: ${place} would expire in the past: give a later --expiration-time, or a --ttl`
  )
}

function beaten(by: Found | 'a deletion', { key, subkey }: RefusedPlace): CommandError {
  const held = valueIn(by, subkey)
  // A longer lifetime would not help there.
  const owned = ownedSubkeyError(key, subkey === undefined ? held : undefined)
  const place = shownPlace(key, subkey)

  if (owned !== undefined) {
    return owned
  }

  return new CommandError(
    held === undefined
      ? `refused: ${place} was deleted, and the deletion holds as long or longer: use a longer --ttl`
      : `refused: ${place} already holds a value until ${shownMoment(held.expirationTime, getDHTTime())}, which is not earlier: use a longer --ttl`
  )
}

/** Returns the value in the place; undefined after a deletion, even if other subkeys hold values. */
function valueIn(by: Found | 'a deletion', subkey: Subkey | undefined): Found | undefined {
  if (by === 'a deletion') {
    return undefined
  }

  return subkey !== undefined && by.value instanceof Map ? subkeyEntry(by, subkey) : by
}

/**
 * Finds a subkey that belongs to another peer and prevents the write: only the owner can replace or delete it
 * (R16).
 */
function ownedSubkeyError(key: Key, found: Found | undefined): CommandError | undefined {
  if (!(found?.value instanceof Map)) {
    return undefined
  }

  const bytes = recordKey(key)

  for (const subkey of found.value.keys()) {
    const owner = placeOwner(bytes, subkeyId(subkey))

    if (owner !== undefined) {
      return new CommandError(
        `refused: ${shownPlace(key, subkey)} belongs to ${owner.id}, and only that peer can replace or delete it`
      )
    }
  }
}
