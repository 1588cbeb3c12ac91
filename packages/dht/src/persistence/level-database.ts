import { ClassicLevel } from 'classic-level'
import { toError } from '../errors.ts'
import { bytesOf } from '../latin1.ts'
import { seal, unseal } from './seal.ts'

export type LevelDatabase = ClassicLevel<Uint8Array, Uint8Array>

export type LevelOperation =
  | { type: 'put'; key: Uint8Array; value: Uint8Array }
  | { type: 'del'; key: Uint8Array }

/** Entries read at once. */
const READ_ENTRIES = 1000

/** Keys before and after all others. */
const FIRST_KEY = Uint8Array.of(0)
const LAST_KEY = Uint8Array.of(255)

/** Sorts after all keys with the same prefix: names are paths, which do not begin with it. */
const LAST_NAME = '\xff'

/** Result of a scan. */
export interface Scan {
  readonly entries: number

  /** Entries whose seal is broken. */
  readonly damaged: number

  /** Error that ended the scan early. */
  readonly error: unknown
}

/**
 * Opens a database.
 *
 * @throws Error of classic-level, whose `cause` has the reason
 */
export async function openLevel(folder: string): Promise<LevelDatabase> {
  const database: LevelDatabase = new ClassicLevel(folder, {
    keyEncoding: 'view',
    valueEncoding: 'view'
  })
  await database.open()
  return database
}

/** Rebuilds the index from the readable tables and logs. */
export async function repairLevel(folder: string): Promise<void> {
  await ClassicLevel.repair(folder)
}

/** Passes all entries with a prefix and an unbroken seal to `take`. */
export async function scan(
  database: LevelDatabase,
  take: (key: Uint8Array, bytes: Uint8Array) => Promise<void> | undefined,
  { prefix = '', atOnce = READ_ENTRIES }: { prefix?: string; atOnce?: number } = {}
): Promise<Scan> {
  const iterator = database.iterator({ gte: bytesOf(prefix), lt: bytesOf(prefix + LAST_NAME) })
  let entries = 0
  let damaged = 0

  try {
    for (
      let read = await iterator.nextv(atOnce);
      read.length > 0;
      read = await iterator.nextv(atOnce)
    ) {
      for (const [key, value] of read) {
        const bytes = unseal(key, value)
        entries++

        if (bytes === undefined) {
          damaged++
        } else {
          await take(key, bytes)
        }
      }
    }

    return { entries, damaged, error: undefined }
  } catch (error) {
    return { entries, damaged, error }
  } finally {
    await iterator.close()
  }
}

/** Creates an operation that writes a sealed entry. */
export function putOperation(key: Uint8Array, bytes: Uint8Array): LevelOperation {
  return { type: 'put', key, value: seal(key, bytes) }
}

/**
 * Copies all readable entries. When one can't be read, LevelDB returns none of those read with it, so these are
 * read one by one.
 */
export async function copyReadable(from: LevelDatabase, to: LevelDatabase): Promise<void> {
  const { error } = await copy(from, to, READ_ENTRIES)

  if (error !== undefined) {
    await copy(from, to, 1)
  }
}

async function copy(from: LevelDatabase, to: LevelDatabase, atOnce: number): Promise<Scan> {
  let operations: LevelOperation[] = []

  async function write(): Promise<void> {
    const batch = operations
    operations = []
    await to.batch(batch)
  }

  const result = await scan(
    from,
    (key, bytes) => {
      operations.push(putOperation(key, bytes))
      return operations.length === READ_ENTRIES ? write() : undefined
    },
    { atOnce }
  )
  await write()
  return result
}

/** Frees the bytes of replaced entries. */
export async function compactLevel(database: LevelDatabase): Promise<void> {
  await database.compactRange(FIRST_KEY, LAST_KEY)
}

/** Returns LevelDB's own error, which classic-level wraps. */
export function reasonOf(error: unknown): Error & { code?: string } {
  const outer: Error & { code?: string } = toError(error)
  return outer.cause instanceof Error ? outer.cause : outer
}

/** Advice for a full file system, whose records are unchanged. */
export const FREE_SPACE =
  'Free some space on this file system, and start again: the records on it are as they were.'

/** Whether the error is a full file system or an exceeded disk quota. */
export function isFull(error: unknown): boolean {
  const { code, message } = reasonOf(error)
  return code === 'ENOSPC' || code === 'EDQUOT' || /no space left|quota exceeded/i.test(message)
}
