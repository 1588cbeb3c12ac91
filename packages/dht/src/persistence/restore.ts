import { checkRecord, decodeRecord, lastExpiration } from '@waggle/record'
import { keyOf, type RecordStore } from '../store/record-store.ts'
import type { Disk } from './interface.ts'
import type { Journal } from './journal.ts'

/** What was on disk when the node started. */
export interface Restored {
  /** Records that are held again. */
  readonly restored: number

  /** Records that could not be read, as far as is known. */
  readonly damaged: number

  /** Where the damaged files are, if there are any. */
  readonly damagedFiles: string | undefined
}

/** What a record on disk turns out to be. */
type Verdict = 'held' | 'expired' | 'no room' | 'too early' | 'damaged'

/**
 * Takes in what is on disk as if a peer had sent it: everything is checked. What has expired, has no
 * room or can't be read leaves the disk.
 */
export async function restore(disk: Disk, store: RecordStore, journal: Journal): Promise<Restored> {
  const wasEmpty = store.records === 0
  const verdicts = new Map<string, Verdict>()
  const damage = await disk.read((name, bytes) => {
    journal.found(name, bytes.length)
    verdicts.set(name, takeIn(store, name, bytes))
  })

  if (!wasEmpty || damage !== undefined) {
    // What is on disk may be other than what is held.
    changedAll(journal, store.names())
  }

  changedAll(journal, goneFrom(verdicts, store))
  const names = [...verdicts.keys()]
  const unreadable = names.filter((name) => verdicts.get(name) === 'damaged')

  return {
    restored: names.filter((name) => store.has(name)).length,
    damaged: unreadable.length + (damage?.records ?? 0),
    damagedFiles: damage?.files
  }
}

function takeIn(store: RecordStore, name: string, bytes: Uint8Array): Verdict {
  const key = keyOf(name)
  const now = store.clock()

  try {
    const record = checkRecord(key, bytes, { now, limits: store.limits })
    return store.apply(key, record).isAccepted ? 'held' : 'no room'
  } catch {
    return verdictOnRefused(bytes, store)
  }
}

/**
 * What is sound but expires too far ahead stays on disk: if this machine's clock has yet to be set,
 * it is as good as ever at the next start.
 */
function verdictOnRefused(bytes: Uint8Array, { clock, limits }: RecordStore): Verdict {
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
    journal.changed(name)
  }
}

/** Records read that are not held, be it because others needed the room. */
function* goneFrom(verdicts: ReadonlyMap<string, Verdict>, store: RecordStore): Generator<string> {
  for (const [name, verdict] of verdicts) {
    if (verdict !== 'too early' && !store.has(name)) {
      yield name
    }
  }
}
