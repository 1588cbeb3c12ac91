import { checkRecord, type DHTRecord, type DHTTime, decodeRecord, isEmpty } from '@waggle/record'
import { firstExpiration, lastExpiration } from '@waggle/record/replica'
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
 * Applies the records on disk under all rules, as if a peer had sent them. Validators have accepted them before,
 * and are asked again when they are read. Records that do not fit or can't be read are removed from disk. Expired
 * ones are stored, too, but not returned, because this machine's clock may be wrong. Expiration is suspended until
 * the clock is trusted.
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

  store.suspendExpiration()

  if (!wasEmpty || damage !== undefined) {
    // The records on disk may differ from those in the store.
    noteAllChanges(journal, store.names())
  }

  const gone = [...journal.namesOnDisk()].filter((name) => !store.has(name))
  noteAllChanges(
    journal,
    gone.filter((name) => refused.get(name) !== 'too early')
  )

  return {
    restored: journal.records - gone.length - count(refused.values(), 'expired'),
    damaged: count(refused.values(), 'damaged') + (damage?.records ?? 0),
    damagedFiles: damage?.files
  }
}

function takeIn(store: RecordStore, name: string, bytes: Uint8Array): Refusal | undefined {
  const key = keyOf(name)

  try {
    const record = recordAsHeld(store, key, bytes)
    const isTaken = store.has(name) ? store.apply(key, record).isAccepted : store.hold(key, record)
    return !isTaken ? 'no room' : isEmpty(store.get(key)) ? 'expired' : undefined
  } catch {
    return refusalOf(bytes, store)
  }
}

/** Returns a valid record with its expired parts, unless others expire too late for the time when these did. */
function recordAsHeld(store: RecordStore, key: Uint8Array, bytes: Uint8Array): DHTRecord {
  const now = store.clock()
  const before = firstExpiration(decodeRecord(bytes, store.limits)) - 1
  const check = (time: DHTTime): DHTRecord =>
    checkRecord(key, bytes, {
      now: time,
      limits: store.limits,
      network: store.network,
      verify: store.checks.verify
    })

  try {
    return check(Math.min(now, before))
  } catch {
    return check(now)
  }
}

/**
 * Returns the reason not to store a record again. A valid record that expires too far ahead stays on disk: this
 * machine's clock may not be set yet, and the next start may accept it.
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

function noteAllChanges(journal: Journal, names: Iterable<string>): void {
  for (const name of names) {
    journal.noteChange(name)
  }
}

function count(refusals: Iterable<Refusal>, wanted: Refusal): number {
  return [...refusals].filter((refusal) => refusal === wanted).length
}
