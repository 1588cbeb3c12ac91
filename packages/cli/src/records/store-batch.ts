import { setTimeout as sleep } from 'node:timers/promises'
import type { DHT, StoreEntry } from '@waggle/dht'
import type { StoreOutcome } from '@waggle/dht/handles'
import type { Value } from '@waggle/record'
import type { ImportedEntry } from './entry-line.ts'

/** Counts of a batch by outcome. */
export interface BatchOutcome {
  readonly stored: number

  /** Entries that have expired or that a stored entry beats. */
  readonly refused: number

  /** Entries that no peer could store. */
  readonly failed: number
}

/** Milliseconds allowed for a whole batch: enough for slow peers. */
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
    const stored = await storeEach(dht, left, signal)
    left = stored.filter(({ outcome }) => !isSettled(outcome)).map(({ entry }) => entry)
    refused += stored.filter(({ outcome }) => isSettled(outcome) && outcome !== 'held').length

    if (left.length === 0 || attempt === ATTEMPTS) {
      return { stored: entries.length - refused - left.length, refused, failed: left.length }
    }

    await sleep(attempt * FIRST_PAUSE_MS, undefined, { signal })
  }
}

/** Whether a retry would change nothing. */
function isSettled(outcome: StoreOutcome): boolean {
  return outcome === 'held' || outcome === 'beaten' || outcome === 'expired'
}

/** Writes the entries and returns the outcome of each. */
async function storeEach(
  dht: DHT,
  entries: readonly ImportedEntry[],
  signal: AbortSignal
): Promise<Stored[]> {
  // Plain values and deletions come first: a dictionary can follow them, but they can't follow a dictionary (R6).
  const whole = entries.filter(({ subkey }) => subkey === undefined)
  const ofSubkeys = entries.filter(({ subkey }) => subkey !== undefined)
  return [...(await storeAll(dht, whole, signal)), ...(await storeAll(dht, ofSubkeys, signal))]
}

interface Stored {
  readonly entry: ImportedEntry
  readonly outcome: StoreOutcome
}

/** Writes entries whose order does not matter. */
async function storeAll(
  dht: DHT,
  entries: readonly ImportedEntry[],
  signal: AbortSignal
): Promise<Stored[]> {
  const call = { signal, timeoutMs: BATCH_TIMEOUT_MS, report: true } as const
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
  const reports = [...stored, ...deleted]
  return [...values, ...deletions].map((entry, i) => ({
    entry,
    outcome: reports[i]?.outcome ?? 'unreachable'
  }))
}

function storeEntry({ key, subkey, value, expirationTime }: ImportedEntry): StoreEntry {
  return { key, value: value as Value, expirationTime, ...(subkey !== undefined && { subkey }) }
}
