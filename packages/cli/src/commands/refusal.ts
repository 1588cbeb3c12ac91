import { type CallOptions, NotStoredError, type StoreReport, UnreachableError } from '@waggle/dht'
import { type Found, getDHTTime, type Key, recordKey, type Subkey } from '@waggle/record'
import { placeOwner, subkeyId } from '@waggle/record/replica'
import { CommandError } from '../errors.ts'
import type { CommonClient } from '../network/hivemind-client.ts'
import { subkeyEntry } from '../network/subkey-entry.ts'
import { shownMoment } from '../text/time.ts'
import { shownPlace } from './places.ts'

/** A write that was refused. */
export interface RefusedWrite {
  readonly key: Key
  readonly subkey: Subkey | undefined
  readonly expirationTime: number
}

/** Explains from the stored entries why a write was refused. */
export async function refusal(
  dht: Pick<CommonClient, 'get'>,
  write: RefusedWrite,
  call: CallOptions
): Promise<CommandError> {
  const { key, subkey, expirationTime } = write
  const found = await dht.get(key, { latest: true, ...call })
  const held = subkey === undefined ? found : (subkeyEntry(found, subkey) ?? found)
  const place = shownPlace(key, subkey)
  const now = getDHTTime()

  if (expirationTime <= now) {
    return pastExpiration(place)
  }

  // A longer lifetime would not help there.
  const owned = ownedSubkeyError(key, subkey === undefined ? found : undefined)

  if (owned !== undefined) {
    return owned
  }

  if (held !== undefined && held.expirationTime >= expirationTime) {
    return new CommandError(
      `refused: ${place} already holds a value until ${shownMoment(held.expirationTime, now)}, which is not earlier: use a longer --ttl`
    )
  }

  return notStored(place)
}

/** Explains why no replica has a write that the rules allow; undefined if they don't. */
export function notHeld(report: StoreReport): Error | undefined {
  switch (report.outcome) {
    case 'unreachable':
      return new UnreachableError(report.replicas.length)
    case 'full':
    case 'refused':
    case 'busy':
      return new NotStoredError(report.outcome, [report])
    default:
      return undefined
  }
}

/** Refuses a write that has expired before it begins. */
export function pastExpiration(place: string): CommandError {
  return new CommandError(
    `refused: ${place} would expire in the past: give a later --expiration-time, or a --ttl`
  )
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

function notStored(place: string): CommandError {
  return new CommandError(
    `refused: no peer stored ${place}: its replicas are full or refuse this peer, or it was deleted with a later expiration. Use a longer --ttl, and list the peers with: waggle peers`
  )
}
