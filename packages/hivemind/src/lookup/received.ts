import { isPromise } from '@waggle/record/replica'
import { MalformedBytesError } from '../errors.ts'
import { decodeDictionary } from '../record/dictionary.ts'
import {
  EMPTY_RECORD,
  type HivemindEntry,
  type HivemindRecord,
  join,
  recordOf
} from '../record/record.ts'
import type { Validation } from '../replica/validation.ts'
import type { FoundBytes } from '../wire/items.ts'

/**
 * Checks another node's record. Leaves out expired entries and invalid ones: infinite expirations, forged
 * signatures, bytes that Python could not read.
 */
export async function receivedRecord(
  key: Uint8Array,
  found: FoundBytes | undefined,
  { validation, now }: { validation: Validation; now: number }
): Promise<HivemindRecord> {
  let record = EMPTY_RECORD

  for (const [subkey, entry] of entriesOf(found)) {
    if (!(entry.expirationTime > now)) {
      continue
    }

    const checked = validation.check(key, { ...entry, subkey })
    const { refusal } = isPromise(checked) ? await checked : checked

    if (refusal === undefined) {
      record = join(record, one(subkey, entry))
    }
  }

  return record
}

type Entries = readonly (readonly [string | undefined, HivemindEntry])[]

function entriesOf(found: FoundBytes | undefined): Entries {
  if (found === undefined) {
    return []
  }

  const { isDictionary, value, expirationTime } = found

  if (!isDictionary) {
    return [[undefined, { value: value.slice(), expirationTime }]]
  }

  try {
    return decodeDictionary(value)
  } catch (error) {
    if (error instanceof MalformedBytesError) {
      return []
    }

    throw error
  }
}

function one(subkey: string | undefined, entry: HivemindEntry): HivemindRecord {
  return subkey === undefined ? recordOf(entry) : recordOf(undefined, new Map([[subkey, entry]]))
}
