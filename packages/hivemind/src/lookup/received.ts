import { MalformedBytesError } from '../errors.ts'
import { decodeDictionary } from '../record/dictionary.ts'
import { type HivemindEntry, type HivemindRecord, later, recordOf } from '../record/record.ts'
import type { HivemindWrite } from '../record/write.ts'
import type { Validation } from '../replica/validation.ts'
import { atEndOfTurn, TurnBudget } from '../waggle-parts.ts'
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
  const accepted: Entries[number][] = []

  for (const [subkey, entry] of entriesOf(found)) {
    if (entry.expirationTime > now && (await isSound(key, { ...entry, subkey }, validation))) {
      accepted.push([subkey, entry])
    }
  }

  return recordOfAll(accepted)
}

/** Checks an entry, in a later turn of the event loop if this one has taken long. */
async function isSound(
  key: Uint8Array,
  write: HivemindWrite,
  validation: Validation
): Promise<boolean> {
  if (budget.spentMs > TURN_MS) {
    await new Promise<void>((resolve) => atEndOfTurn(resolve))
  }

  const startMs = performance.now()
  const checked = validation.check(key, write)
  budget.spend(performance.now() - startMs)
  return (await checked).refusal === undefined
}

/** Merges entries: of two in one place, the later counts. */
function recordOfAll(entries: Entries): HivemindRecord {
  const subkeys = new Map<string, HivemindEntry>()
  let plain: HivemindEntry | undefined

  for (const [subkey, entry] of entries) {
    if (subkey === undefined) {
      plain = entry
    } else {
      subkeys.set(subkey, later(subkeys.get(subkey), entry) ?? entry)
    }
  }

  return recordOf(plain, subkeys)
}

/** Entries of one dictionary that a reader takes: four times as many as a replica. */
const MAX_ENTRIES = 16_384

/** Milliseconds of one turn of the event loop after which checks go on in the next one. */
const TURN_MS = 2
const budget = new TurnBudget()

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
    return decodeDictionary(value, MAX_ENTRIES)
  } catch (error) {
    if (error instanceof MalformedBytesError) {
      return []
    }

    throw error
  }
}
