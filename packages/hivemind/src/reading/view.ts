import { bytesOf } from '../bytes/latin1.ts'
import { MalformedBytesError } from '../errors.ts'
import { type DecodeOptions, decodeValue } from '../msgpack/msgpack-reader.ts'
import type { HivemindKey, HivemindValue } from '../msgpack/python-types.ts'
import { type HivemindEntry, type HivemindRecord, prune } from '../record/record.ts'
import { isProtected, withoutSignature } from '../validators/rsa.ts'

/** A live value and its expiration. */
export interface HivemindEntryFound {
  readonly value: HivemindValue
  readonly expirationTime: number
}

/** The live content of a key. */
export type HivemindFound =
  | (HivemindEntryFound & { readonly isDictionary: false })
  | {
      readonly isDictionary: true
      readonly value: ReadonlyMap<HivemindKey, HivemindEntryFound>

      /** The expiration of the last subkey. */
      readonly expirationTime: number
    }

/**
 * A reader's view of a record: a dictionary if any subkey is live, else the plain value. Leaves out unreadable
 * entries.
 */
export function view(
  record: HivemindRecord,
  now: number,
  options: DecodeOptions
): HivemindFound | undefined {
  const { plain, subkeys } = prune(record, now)
  const dictionary = dictionaryOf(subkeys, options)

  if (dictionary.size > 0) {
    const moments = Array.from(dictionary.values(), ({ expirationTime }) => expirationTime)
    return {
      isDictionary: true,
      value: dictionary,
      expirationTime: moments.reduce((latest, one) => Math.max(latest, one))
    }
  }

  const found = plain && foundIn(undefined, plain, options)
  return found && { isDictionary: false, ...found }
}

/**
 * Decodes a dictionary. The later of two entries counts if JavaScript has one name for both subkeys, as for 1 and
 * 1.0.
 */
function dictionaryOf(
  subkeys: HivemindRecord['subkeys'],
  options: DecodeOptions
): Map<HivemindKey, HivemindEntryFound> {
  const dictionary = new Map<HivemindKey, HivemindEntryFound>()

  for (const [subkey, entry] of subkeys) {
    const found = foundIn(subkey, entry, options)
    const name = decodeValue(bytesOf(subkey), options) as HivemindKey
    const rival = dictionary.get(name)?.expirationTime ?? Number.NEGATIVE_INFINITY

    if (found !== undefined && found.expirationTime >= rival) {
      dictionary.set(name, found)
    }
  }

  return dictionary
}

function foundIn(
  subkey: string | undefined,
  { value, expirationTime }: HivemindEntry,
  options: DecodeOptions
): HivemindEntryFound | undefined {
  const isSigned = subkey !== undefined && isProtected(subkey)

  try {
    const bytes = isSigned ? withoutSignature(value) : value
    return { value: decodeValue(bytes, options), expirationTime }
  } catch (error) {
    if (error instanceof MalformedBytesError) {
      return undefined
    }

    throw error
  }
}
