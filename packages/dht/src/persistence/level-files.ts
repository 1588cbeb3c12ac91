import { copyFile, link, mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * The folders of one database. There is always one that is whole, at whatever moment the process
 * ends: see {@link finishRebuild}.
 */
export interface LevelFolders {
  /** The database. */
  readonly main: string

  /** Its files as they were before it was opened: opening deletes what seems to be of no use. */
  readonly before: string

  /** A new one with all that can be read of a damaged one, until it is complete. */
  readonly rebuilt: string

  /** A damaged one that has been replaced. */
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

/** Puts things in order when the process ended while one folder took the place of another. */
export async function finishRebuild({ main, before, rebuilt }: LevelFolders): Promise<void> {
  if (!(await exists(main))) {
    // The old one gives way only when the new one is complete, or its files are safe.
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
 * A copy that costs nothing: as long as its index is whole, LevelDB only makes new files, and never
 * changes what is in old ones.
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
    // No room, perhaps. Some of the files would be worse than none.
    await remove(before)
  }
}

/** Makes the database's files those that were remembered, if they could be. */
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

/** Some file systems have no links. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  await link(from, to).catch(() => copyFile(from, to))
}
