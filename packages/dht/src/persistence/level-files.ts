import { copyFile, link, mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * The folders of one database. At least one of them is complete whenever the process ends: see {@link
 * finishRebuild}.
 */
export interface LevelFolders {
  /** The database. */
  readonly main: string

  /** Its files before it was opened: opening deletes files that seem unused. */
  readonly before: string

  /** A new database with the readable part of a damaged one, until it is complete. */
  readonly rebuilt: string

  /** A damaged database that was replaced. */
  readonly damaged: string
}

export function levelFolders(main: string): LevelFolders {
  return {
    main,
    before: `${main}.before`,
    rebuilt: `${main}.rebuilt`,
    damaged: `${main}.damaged`
  }
}

/**
 * Checks that a database has regular files only: LevelDB would wait for a pipe, read a device without end, and write
 * through a link.
 *
 * @throws Error naming the first one that is something else
 */
export async function assertRegularFiles(folder: string): Promise<void> {
  const files = await readdir(folder, { withFileTypes: true }).catch(() => [])
  const odd = files.find((file) => !(file.isFile() || file.isDirectory()))

  if (odd !== undefined) {
    throw new Error(`${odd.name} in it is not a regular file`)
  }
}

/** Finishes a folder replacement that the end of the process interrupted. */
export async function finishRebuild({ main, before, rebuilt }: LevelFolders): Promise<void> {
  if (!(await exists(main))) {
    // The old folder is replaced only when the new one is complete, or its files are safe.
    for (const complete of [rebuilt, before]) {
      if (await exists(complete)) {
        await rename(complete, main)
        break
      }
    }
  }

  await remove(rebuilt)
  await mkdir(main, { recursive: true })
}

/**
 * Links the database's files, which costs nothing. While its index is complete, LevelDB only
 * creates files and never changes old ones.
 */
export async function rememberFiles({ main, before }: LevelFolders): Promise<void> {
  await remove(before)
  await mkdir(before)
  const files = (await readdir(main, { withFileTypes: true }))
    .filter((file) => file.isFile() && file.name !== 'LOCK' && !file.name.startsWith('LOG'))
    .map(({ name }) => name)

  try {
    await Promise.all(files.map((file) => linkOrCopy(join(main, file), join(before, file))))
  } catch {
    // The disk may be full. An incomplete set of files would be worse than none.
    await remove(before)
  }
}

/** Restores the remembered files, if there are any. */
export async function goBack({ main, before }: LevelFolders): Promise<void> {
  if (await exists(before)) {
    await remove(main)
    await rename(before, main)
  }
}

export async function putRebuiltInPlace(folders: LevelFolders): Promise<void> {
  await remove(folders.damaged)
  await rename(folders.main, folders.damaged)
  await rename(folders.rebuilt, folders.main)
}

export async function remove(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true })
}

async function exists(folder: string): Promise<boolean> {
  return readdir(folder).then(
    () => true,
    () => false
  )
}

/** Links a file, or copies it if the file system has no links. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  await link(from, to).catch(() => copyFile(from, to))
}
