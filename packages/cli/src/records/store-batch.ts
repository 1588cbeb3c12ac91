import { setTimeout as sleep } from 'node:timers/promises'
import type { DHT, StoreEntry } from '@waggle/dht'
import type { Found, Value } from '@waggle/record'
import type { ImportedEntry } from './entry-line.ts'
import { subkeyEntry } from './subkey-entry.ts'

/** Counts of a batch by outcome. */
export interface BatchOutcome {
  readonly stored: number

  /** Entries in whose place a value is stored that lasts at least as long. */
  readonly refused: number

  /** Entries that no peer could store. */
  readonly failed: number
}

/** Longest time for a whole batch, in ms: enough for slow peers. */
const BATCH_TIMEOUT_MS = 120_000

/** Attempts to store a batch. A peer that failed is avoided for a second, and may then work again. */
const ATTEMPTS = 3
const FIRST_PAUSE_MS = 1500

/** Stores all entries, and retries those that no peer stored. Storing an entry again changes nothing (R3). */
export async function storeBatch(
  dht: DHT,
  entries: readonly ImportedEntry[],
  signal: AbortSignal
): Promise<BatchOutcome> {
  let left = entries
  let refused = 0

  for (let attempt = 1; ; attempt++) {
    const rejected = await rejectedOf(dht, left, signal)
    left = rejected.length === 0 ? [] : await unbeaten(dht, rejected, signal)
    refused += rejected.length - left.length

    if (left.length === 0 || attempt === ATTEMPTS) {
      return { stored: entries.length - refused - left.length, refused, failed: left.length }
    }

    await sleep(attempt * FIRST_PAUSE_MS, undefined, { signal })
  }
}

/** Writes the entries, and returns those that were not stored. */
async function rejectedOf(
  dht: DHT,
  entries: readonly ImportedEntry[],
  signal: AbortSignal
): Promise<ImportedEntry[]> {
  // Whole values and deletions come first: a dictionary can follow them, but they can't follow a dictionary (R6).
  const whole = entries.filter(({ subkey }) => subkey === undefined)
  const ofSubkeys = entries.filter(({ subkey }) => subkey !== undefined)
  return [...(await rejected(dht, whole, signal)), ...(await rejected(dht, ofSubkeys, signal))]
}

/** Writes entries whose order does not matter, and returns those that were not stored. */
async function rejected(
  dht: DHT,
  entries: readonly ImportedEntry[],
  signal: AbortSignal
): Promise<ImportedEntry[]> {
  const call = { signal, timeoutMs: BATCH_TIMEOUT_MS }
  const values = entries.filter(({ value }) => value !== undefined)
  const deletions = entries.filter(({ value }) => value === undefined)
  const [stored, deleted] = await Promise.all([
    dht.storeMany(values.map(storeEntry), call),
    Promise.all(
      deletions.map(({ key, subkey, expirationTime }) =>
        dht.delete(key, { ...(subkey !== undefined && { subkey }), expirationTime, ...call })
      )
    )
  ])
  return [...values.filter((_, i) => !stored[i]), ...deletions.filter((_, i) => !deleted[i])]
}

function storeEntry({ key, subkey, value, expirationTime }: ImportedEntry): StoreEntry {
  return { key, value: value as Value, expirationTime, ...(subkey !== undefined && { subkey }) }
}

/** Finds the entries in whose place no value is stored that lasts as long. */
async function unbeaten(
  dht: DHT,
  entries: readonly ImportedEntry[],
  signal: AbortSignal
): Promise<ImportedEntry[]> {
  const keys = entries.map(({ key }) => key)
  const found = await dht.getMany(keys, { latest: true, signal, timeoutMs: BATCH_TIMEOUT_MS })
  return entries.filter((entry, i) => !isBeaten(entry, found[i]))
}

function isBeaten({ subkey, expirationTime }: ImportedEntry, found: Found | undefined): boolean {
  const isDictionary = found?.value instanceof Map
  const held = isDictionary && subkey !== undefined ? subkeyEntry(found, subkey) : found
  return held !== undefined && held.expirationTime >= expirationTime
}
