import { access, constants, lstat, mkdir, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { DataDirError, isCode, toError } from '../errors.ts'
import type { Disk } from './disk.ts'
import { FREE_SPACE, isFull, type LevelDatabase, openLevel, reasonOf } from './level-database.ts'
import { openLevelDisk } from './level-disk.ts'
import { assertRegularFiles } from './level-files.ts'
import { assertTrusted, readSmallFile, writeSmallFile } from './small-file.ts'

/** A directory that this process has locked. */
export interface LockedDirectory {
  /** Unlocks it for other processes. */
  release(): Promise<void>
}

/** Returns the path of the private key if the caller has given none. */
export function identityIn(dataDir: string): string {
  return join(dataDir, 'identity.key')
}

/** Returns the path of the database. */
export function recordsIn(dataDir: string): string {
  return join(dataDir, 'records')
}

/**
 * Creates the directory if it is missing, readable by its owner only, because it will contain a private key.
 *
 * @throws DataDirError when the path is something else, or can't be written to
 */
export async function prepareDataDir(dataDir: string): Promise<void> {
  try {
    await makeDirectory(dataDir)
    await assertLinksTrusted(dataDir)
    assertTrusted(await stat(dataDir))
    await access(dataDir, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (cause) {
    throw new DataDirError(
      `dataDir: can't use ${dataDir}: ${toError(cause).message}. ${isFull(cause) ? FREE_SPACE : 'Name a directory that this process may write to and other users may not, or one that can be created.'}`,
      { cause }
    )
  }
}

/**
 * Checks the owners of links on the path: a link of another user could lead to another directory of this user, in
 * which a database would replace files.
 *
 * @throws Error for a link of another user
 */
async function assertLinksTrusted(path: string): Promise<void> {
  const status = await lstat(path)

  if (status.isSymbolicLink()) {
    assertTrusted({ uid: status.uid, mode: 0 })
  }

  if (dirname(path) !== path) {
    await assertLinksTrusted(dirname(path))
  }
}

/** Creates parents, too. Node's own `recursive` never returns in /proc, which denies that a parent exists. */
async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 })
  } catch (error) {
    if (isCode(error, 'ENOENT') && dirname(path) !== path) {
      await makeDirectory(dirname(path))
      await mkdir(path, { mode: 0o700 })
    } else if (!isCode(error, 'EEXIST')) {
      throw error
    } else if (!(await stat(path)).isDirectory()) {
      throw new Error(`${path} is not a directory`)
    }
  }
}

/**
 * Locks the directory until this process ends, even by a crash. Node has no file locks, but LevelDB locks each
 * database: an empty database is the lock.
 *
 * @throws DataDirError naming the process that uses it, if known, or why it can't be locked
 */
export async function lockDataDir(dataDir: string): Promise<LockedDirectory> {
  const folder = join(dataDir, 'lock')
  const pidFile = join(dataDir, 'pid')
  const lock = await openLock(folder).catch(async (error) => {
    throw isLocked(error) ? await inUse(dataDir, pidFile, error) : unlockable(dataDir, error)
  })

  try {
    await writeSmallFile(pidFile, `${process.pid}\n`)
  } catch (error) {
    await lock.close()
    throw unlockable(dataDir, error)
  }

  return {
    async release() {
      try {
        await rm(pidFile, { force: true })
      } finally {
        await lock.close()
      }
    }
  }
}

/** Opens the lock's database, which is empty: a damaged one is replaced. */
async function openLock(folder: string): Promise<LevelDatabase> {
  try {
    await assertRegularFiles(folder)
    return await openLevel(folder)
  } catch (error) {
    if (isLocked(error)) {
      throw error
    }

    await rm(folder, { recursive: true, force: true })
    return openLevel(folder)
  }
}

async function inUse(dataDir: string, pidFile: string, cause: unknown): Promise<DataDirError> {
  const pid = await pidIn(pidFile)
  const user =
    pid === process.pid
      ? 'another node of this process'
      : Number.isNaN(pid)
        ? 'another process'
        : `the process ${pid}`

  return new DataDirError(
    `dataDir: ${dataDir} is in use by ${user}. Stop it first, or give each node a directory of its own.`,
    { cause }
  )
}

/** NaN if there is no number. */
async function pidIn(pidFile: string): Promise<number> {
  const bytes = await readSmallFile(pidFile, { isOwn: true }).catch(() => new Uint8Array())
  return Number.parseInt(new TextDecoder().decode(bytes), 10)
}

function unlockable(dataDir: string, cause: unknown): DataDirError {
  return new DataDirError(
    `dataDir: can't lock ${dataDir}: ${reasonOf(cause).message}. ${isFull(cause) ? FREE_SPACE : 'Check that this process may write there, that the file system has file locks, and that nothing else is named lock or pid.'}`,
    { cause }
  )
}

function isLocked(error: unknown): boolean {
  return reasonOf(error).code === 'LEVEL_LOCKED'
}

/**
 * Opens the database of a data directory, which no other process can use until it is closed.
 *
 * @throws DataDirError when the directory can't be used
 */
export async function openDataDir(dataDir: string): Promise<Disk> {
  await prepareDataDir(dataDir)
  const lock = await lockDataDir(dataDir)

  try {
    return await openLevelDisk(recordsIn(dataDir), () => lock.release())
  } catch (error) {
    await lock.release()
    throw error
  }
}
