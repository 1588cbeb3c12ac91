import { checkRecord, decodeRecord } from '@waggle/record'
import { lastExpiration } from '@waggle/record/replica'
import { keyOf, type RecordStore } from '../store/record-store.ts'
import type { Disk } from './disk.ts'
import type { Journal } from './journal.ts'

/** Result of reading the disk at the start. */
export interface Restored {
  /** Records stored again. */
  readonly restored: number

  /** Records that could not be read, as far as is known. */
  readonly damaged: number

  /** Path of the damaged files, if there are any. */
  readonly damagedFiles: string | undefined
}

/** Reason why a record on disk is not stored again. */
type Refusal = 'expired' | 'no room' | 'too early' | 'damaged'

/**
 * Applies the records on disk as if a peer had sent them, with all rules. Validators have accepted
 * them before, and readers ask these again. Records that have expired, do not fit or can't be read
 * are removed from disk.
 */
export async function restore(disk: Disk, store: RecordStore, journal: Journal): Promise<Restored> {
  const wasEmpty = store.records === 0
  const refused = new Map<string, Refusal>()
  const damage = await disk.read((name, bytes) => {
    journal.found(name, bytes)
    const refusal = takeIn(store, name, bytes)

    if (refusal !== undefined) {
      refused.set(name, refusal)
    }
  })

  if (!wasEmpty || damage !== undefined) {
    // The records on disk may differ from those in the store.
    changedAll(journal, store.names())
  }

  const gone = [...journal.namesOnDisk()].filter((name) => !store.has(name))
  changedAll(
    journal,
    gone.filter((name) => refused.get(name) !== 'too early')
  )

  return {
    restored: journal.records - gone.length,
    damaged: count(refused.values(), 'damaged') + (damage?.records ?? 0),
    damagedFiles: damage?.files
  }
}

function takeIn(store: RecordStore, name: string, bytes: Uint8Array): Refusal | undefined {
  const key = keyOf(name)
  const now = store.clock()

  try {
    const record = checkRecord(key, bytes, {
      now,
      limits: store.limits,
      network: store.network,
      verify: store.checks.verify
    })
    return store.apply(key, record).isAccepted ? undefined : 'no room'
  } catch {
    return refusalOf(bytes, store)
  }
}

/**
 * Returns why a record is not stored again. A sound record that expires too far ahead stays on
 * disk: this machine's clock may not be set yet, and it may be fine at the next start.
 */
function refusalOf(bytes: Uint8Array, { clock, limits }: RecordStore): Refusal {
  try {
    const expirationTime = lastExpiration(decodeRecord(bytes, limits))
    return expirationTime <= clock()
      ? 'expired'
      : expirationTime > clock() + limits.maxTtl
        ? 'too early'
        : 'damaged'
  } catch {
    return 'damaged'
  }
}

function changedAll(journal: Journal, names: Iterable<string>): void {
  for (const name of names) {
    journal.noteChange(name)
  }
}

function count(refusals: Iterable<Refusal>, wanted: Refusal): number {
  return [...refusals].filter((refusal) => refusal === wanted).length
}
