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

/** What a replica makes of a write. */
export interface Applied {
  readonly isAccepted: boolean
  readonly record: HivemindRecord
}

/**
 * What a replica of Hivemind does with a write: the later expiration wins, and of equal ones the
 * first stays. Unlike there, a refused write changes nothing.
 */
export function apply(held: HivemindRecord, write: HivemindWrite): Applied {
  return write.subkey === undefined
    ? applyPlain(held, write)
    : applySubkey(held, write.subkey, write)
}

/** A plain value replaces a whole dictionary, once it is later than all of it. */
function applyPlain(held: HivemindRecord, { value, expirationTime }: HivemindEntry): Applied {
  return expirationTime > latestExpiration(held)
    ? { isAccepted: true, record: recordOf({ value, expirationTime }) }
    : { isAccepted: false, record: held }
}

/** A subkey competes with a plain value, or with the entry in its own place. */
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

/** To Python `0`, `0.0` and `False` are one subkey, whose first name stays. */
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

/** Short strings, which most subkeys are, cannot be written in another way. */
function hasOneForm(subkey: SubkeyText): boolean {
  const first = subkey.charCodeAt(0)
  return first >= 0xa0 && first <= 0xbf
}
