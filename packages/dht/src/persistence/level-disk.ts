import { fromString } from 'uint8arrays/from-string'
import { toString as stringOf } from 'uint8arrays/to-string'
import { DataDirError } from '../errors.ts'
import { bytesOf, textOf } from '../latin1.ts'
import type { Batch, Damage, Disk } from './disk.ts'
import {
  compactLevel,
  copyReadable,
  FREE_SPACE,
  isFull,
  type LevelDatabase,
  type LevelOperation,
  openLevel,
  putOperation,
  reasonOf,
  repairLevel,
  type Scan,
  scan
} from './level-database.ts'
import {
  assertRegularFiles,
  finishRebuild,
  goBack,
  type LevelFolders,
  levelFolders,
  putRebuiltInPlace,
  rememberFiles,
  remove
} from './level-files.ts'
import { hasWholeIndex } from './level-index.ts'
import { unseal } from './seal.ts'

const RECORDS = 'record/'
const NOTES = 'note/'

/**
 * Keys of the number of records. It is written with every batch and reveals whether records have vanished. One is
 * before and one after all records, because damage seldom hits both.
 */
const COUNT_KEYS: readonly Uint8Array[] = [bytesOf('count/'), bytesOf('total/')]

/**
 * Opens a LevelDB database in a folder, which it creates if missing. The caller makes sure that no
 * other process opens it until it is closed.
 *
 * @throws DataDirError when it can be neither opened nor repaired
 */
export async function openLevelDisk(
  folder: string,
  onClose: () => Promise<void> = async () => {}
): Promise<Disk> {
  const folders = levelFolders(folder)

  try {
    await finishRebuild(folders)
    await assertRegularFiles(folder)
    await rememberFiles(folders)
    const database = (await hasWholeIndex(folder)) ? await openSound(folder) : undefined
    return new LevelDisk({
      folders,
      database: database ?? (await openRepaired(folder)),
      isSound: database !== undefined,
      onClose
    })
  } catch (error) {
    throw unusable(folders, error)
  }
}

function unusable({ main }: LevelFolders, cause: unknown): DataDirError {
  return new DataDirError(
    `dataDir: can't open the database ${main}: ${reasonOf(cause).message}. ${isFull(cause) ? FREE_SPACE : "If it can't be made readable, move the folder away: the node then starts without the records in it."}`,
    { cause }
  )
}

/** Opens the database. Undefined if it is damaged. */
async function openSound(folder: string): Promise<LevelDatabase | undefined> {
  try {
    return await openLevel(folder)
  } catch (error) {
    const { code, message } = reasonOf(error)

    if (code === 'LEVEL_CORRUPTION' || (code === 'LEVEL_IO_ERROR' && isMissing(message))) {
      return undefined
    }

    throw error
  }
}

async function openRepaired(folder: string): Promise<LevelDatabase> {
  await repairLevel(folder)
  return openLevel(folder)
}

interface LevelDiskInit {
  readonly folders: LevelFolders
  readonly database: LevelDatabase
  readonly isSound: boolean
  readonly onClose: () => Promise<void>
}

class LevelDisk implements Disk {
  readonly #folders: LevelFolders
  readonly #onClose: () => Promise<void>
  #database: LevelDatabase

  /** Whether no damage has been found yet. */
  #isSound: boolean
  #hasFailed = false

  /** Settles when all writes until now have settled. After a failed one, the database must be reopened first. */
  #lastWrite: Promise<unknown> = Promise.resolve()
  #compacting: Promise<void> | undefined

  constructor({ folders, database, isSound, onClose }: LevelDiskInit) {
    this.#folders = folders
    this.#database = database
    this.#isSound = isSound
    this.#onClose = onClose
  }

  async read(take: (name: string, bytes: Uint8Array) => void): Promise<Damage | undefined> {
    const first = await this.#scan(take)
    const expected = await this.#count()
    const isComplete = first.damaged === 0 && first.entries === (expected ?? 0)

    if (this.#isSound && first.error === undefined && isComplete) {
      await remove(this.#folders.before)
      return undefined
    }

    await this.#rebuild().catch((error) => {
      throw unusable(this.#folders, error)
    })
    const { entries } = await this.#scan(take)
    const lost = expected === undefined ? first.damaged : expected - entries
    return { records: Math.max(lost, 0), files: this.#folders.damaged }
  }

  async write({ changes, records, isSynced }: Batch): Promise<void> {
    const operations = changes.map(({ name, bytes }): LevelOperation => {
      const key = bytesOf(RECORDS + name)
      return bytes === undefined ? { type: 'del', key } : putOperation(key, bytes)
    })

    await this.#writeInTurn([...operations, ...counting(records)], isSynced)
  }

  async note(name: string): Promise<string | undefined> {
    return this.#text(bytesOf(NOTES + name))
  }

  async setNote(name: string, text: string): Promise<void> {
    await this.#writeInTurn([putOperation(bytesOf(NOTES + name), fromString(text))], false)
  }

  async compact(): Promise<void> {
    this.#compacting ??= compactLevel(this.#database).finally(() => {
      this.#compacting = undefined
    })
    await this.#compacting
  }

  async close(): Promise<void> {
    await this.#compacting?.catch(() => {})
    await this.#database.close()
    await this.#onClose()
  }

  async #writeInTurn(operations: LevelOperation[], isSynced: boolean): Promise<void> {
    const writing = this.#lastWrite.then(() => this.#write(operations, isSynced))
    this.#lastWrite = writing.catch(() => {})
    await writing
  }

  async #write(operations: LevelOperation[], isSynced: boolean): Promise<void> {
    if (this.#hasFailed) {
      await this.#reopen()
    }

    try {
      await this.#database.batch(operations, { sync: isSynced })
    } catch (error) {
      this.#hasFailed = true
      throw reasonOf(error)
    }
  }

  async #scan(take: (name: string, bytes: Uint8Array) => void): Promise<Scan> {
    return scan(
      this.#database,
      (key, bytes) => {
        take(textOf(key.subarray(RECORDS.length)), bytes)
        return undefined
      },
      { prefix: RECORDS }
    )
  }

  async #count(): Promise<number | undefined> {
    const texts = await Promise.all(COUNT_KEYS.map((key) => this.#text(key)))
    const text = texts.find((text) => text !== undefined)
    return text === undefined ? undefined : Number(text)
  }

  /** Reads a text. Undefined if it can't be read. */
  async #text(key: Uint8Array): Promise<string | undefined> {
    const value = await this.#database.get(key).catch(() => undefined)
    const bytes = value && unseal(key, value)
    return bytes && stringOf(bytes)
  }

  /**
   * Replaces the database by one with all readable records. LevelDB's own repair comes first and finds more than
   * opening does, but it would keep damaged tables in use, which fail later.
   */
  async #rebuild(): Promise<void> {
    const { main, rebuilt } = this.#folders

    if (this.#isSound) {
      await this.#database.close()
      await goBack(this.#folders)
      this.#database = await openRepaired(main)
      this.#isSound = false
    }

    const replacement = await openLevel(rebuilt)
    await copyReadable(this.#database, replacement)
    const { entries } = await scan(replacement, () => undefined, { prefix: RECORDS })
    await replacement.batch(counting(entries), { sync: true })
    await Promise.all([replacement.close(), this.#database.close()])
    await putRebuiltInPlace(this.#folders)
    await remove(this.#folders.before)
    this.#database = await openLevel(main)
    this.#isSound = true
  }

  /**
   * Reopens the database, which starts a new log. After a failed write the log may end within an
   * entry, and entries appended to it could not be read.
   */
  async #reopen(): Promise<void> {
    await this.#compacting?.catch(() => {})
    await this.#database.close()
    this.#database = await openLevel(this.#folders.main)
    this.#hasFailed = false
  }
}

function counting(records: number): LevelOperation[] {
  return COUNT_KEYS.map((key) => putOperation(key, fromString(String(records))))
}

function isMissing(message: string): boolean {
  return /no such file|invalid argument|not found/i.test(message)
}
