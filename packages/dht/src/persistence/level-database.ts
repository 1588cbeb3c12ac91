import { ClassicLevel } from 'classic-level'
import { toError } from '../errors.ts'
import { seal, unseal } from './seal.ts'

export type LevelDatabase = ClassicLevel<Uint8Array, Uint8Array>

export type LevelOperation =
  | { type: 'put'; key: Uint8Array; value: Uint8Array }
  | { type: 'del'; key: Uint8Array }

/** Entries that are read at once. */
const READ_ENTRIES = 1000

/** Lies before and behind all keys that there are. */
const FIRST_KEY = Uint8Array.of(0)
const LAST_KEY = Uint8Array.of(255)

/** Comes after all keys with the same prefix: names are paths, which do not begin like that. */
const LAST_NAME = '\xff'

/** What a scan has met. */
export interface Scan {
  readonly entries: number

  /** Entries that are not what they were. */
  readonly damaged: number

  /** Why not all could be read. */
  readonly error: unknown
}

/** @throws Error of classic-level, whose `cause` has the reason */
export async function openLevel(folder: string): Promise<LevelDatabase> {
  const database: LevelDatabase = new ClassicLevel(folder, {
    keyEncoding: 'view',
    valueEncoding: 'view'
  })
  await database.open()
  return database
}

/** Rebuilds the index from what can be read of the tables and logs. */
export async function repairLevel(folder: string): Promise<void> {
  await ClassicLevel.repair(folder)
}

/** Hands over all entries whose keys begin with some bytes and whose seals are unbroken. */
export async function scan(
  database: LevelDatabase,
  take: (key: Uint8Array, bytes: Uint8Array) => Promise<void> | undefined,
  { prefix = '', atOnce = READ_ENTRIES }: { prefix?: string; atOnce?: number } = {}
): Promise<Scan> {
  const iterator = database.iterator({ gte: keyOf(prefix), lt: keyOf(prefix + LAST_NAME) })
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

/** A sealed entry to be written. */
export function putting(key: Uint8Array, bytes: Uint8Array): LevelOperation {
  return { type: 'put', key, value: seal(key, bytes) }
}

/**
 * Copies what can be read. When one entry can't be, LevelDB keeps back all those that it was to be
 * read with: then they are read one by one.
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
      operations.push(putting(key, bytes))
      return operations.length === READ_ENTRIES ? write() : undefined
    },
    { atOnce }
  )
  await write()
  return result
}

/** Gives back the room that replaced entries take. */
export async function compactLevel(database: LevelDatabase): Promise<void> {
  await database.compactRange(FIRST_KEY, LAST_KEY)
}

/** A key of latin1 text, which can stand for any bytes. */
export function keyOf(text: string): Uint8Array {
  return Buffer.from(text, 'latin1')
}

/** What LevelDB says: classic-level wraps it. */
export function reasonOf(error: unknown): Error & { code?: string } {
  const outer: Error & { code?: string } = toError(error)
  return outer.cause instanceof Error ? outer.cause : outer
}

/** What to do when a file system is full. The records on it are as they were. */
export const FREE_SPACE =
  'Free some space on this file system, and start again: the records on it are as they were.'

/** Whether something failed because a file system, or what its user may have of it, is full. */
export function isFull(error: unknown): boolean {
  const { code, message } = reasonOf(error)
  return code === 'ENOSPC' || code === 'EDQUOT' || /no space left|quota exceeded/i.test(message)
}
