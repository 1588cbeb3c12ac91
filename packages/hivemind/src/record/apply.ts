import { bytesOf } from '../bytes/latin1.ts'
import { pythonName } from '../keys/python-name.ts'
import {
  type HivemindEntry,
  type HivemindRecord,
  latestExpiration,
  recordOf,
  type SubkeyText
} from './record.ts'

/** One write to one place. */
export interface HivemindWrite extends HivemindEntry {
  /** Undefined: under the key itself. */
  readonly subkey: SubkeyText | undefined
}

/** The outcome of a write at a replica. */
export interface Applied {
  readonly isAccepted: boolean
  readonly record: HivemindRecord
}

/**
 * Applies a write as a Hivemind replica does: the later expiration wins, and the first of two equal ones stays.
 * Unlike Hivemind, a refused write changes nothing.
 */
export function apply(held: HivemindRecord, write: HivemindWrite): Applied {
  return write.subkey === undefined
    ? applyPlain(held, write)
    : applySubkey(held, write.subkey, write)
}

/** Replaces a whole dictionary by a plain value if that expires later than all of it. */
function applyPlain(held: HivemindRecord, { value, expirationTime }: HivemindEntry): Applied {
  return expirationTime > latestExpiration(held)
    ? { isAccepted: true, record: recordOf({ value, expirationTime }) }
    : { isAccepted: false, record: held }
}

/** Compares a subkey's entry with the plain value, or with the entry in its own place. */
function applySubkey(
  held: HivemindRecord,
  subkey: SubkeyText,
  { value, expirationTime }: HivemindEntry
): Applied {
  const place = placeIn(held, subkey)
  const rival = held.plain ?? held.subkeys.get(place)

  if (rival !== undefined && !(expirationTime > rival.expirationTime)) {
    return { isAccepted: false, record: held }
  }

  const subkeys = new Map(held.subkeys).set(place, { value, expirationTime })
  return { isAccepted: true, record: recordOf(undefined, subkeys) }
}

/** Finds the subkey that Python considers equal: `0`, `0.0` and `False` are one, and its first form stays. */
function placeIn({ subkeys }: HivemindRecord, subkey: SubkeyText): SubkeyText {
  if (subkeys.has(subkey) || hasOneForm(subkey)) {
    return subkey
  }

  const name = pythonName(bytesOf(subkey))

  for (const known of subkeys.keys()) {
    if (!hasOneForm(known) && pythonName(bytesOf(known)) === name) {
      return known
    }
  }

  return subkey
}

/** Whether a subkey has only one encoding, as most do: they are short strings. */
function hasOneForm(subkey: SubkeyText): boolean {
  const first = subkey.charCodeAt(0)
  return first >= 0xa0 && first <= 0xbf
}
