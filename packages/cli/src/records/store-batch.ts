import { setTimeout as sleep } from 'node:timers/promises'
import type { DHT, StoreEntry } from '@waggle/dht'
import type { Found, Value } from '@waggle/record'
import type { ImportedEntry } from './entry-line.ts'
import { subkeyEntry } from './subkey-entry.ts'

/** What has become of a batch. */
export interface BatchOutcome {
  readonly stored: number

  /** Something that expires later is held in their place. */
  readonly refused: number

  /** No peer could take them. */
  readonly failed: number
}

/** Peers that are slow may take so long for a whole batch; one that makes no progress is not waited for. */
const BATCH_TIMEOUT_MS = 120_000

/** A peer that has failed is avoided for a second, and may then be well again. */
const ATTEMPTS = 3
const FIRST_PAUSE_MS = 1500

/** Stores all entries, those that no peer has taken again: storing what is held already costs nothing (R3). */
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

/** Writes them; gives back those that did not come to be held. */
async function rejectedOf(
  dht: DHT,
  entries: readonly ImportedEntry[],
  signal: AbortSignal
): Promise<ImportedEntry[]> {
  // A dictionary can follow what was there before it, or its deletion, and not the other way round (R6).
  const whole = entries.filter(({ subkey }) => subkey === undefined)
  const ofSubkeys = entries.filter(({ subkey }) => subkey !== undefined)
  return [...(await rejected(dht, whole, signal)), ...(await rejected(dht, ofSubkeys, signal))]
}

/** The same, where the order does not matter. */
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

/** Those in whose place nothing is held that lasts as long. */
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
