import { lockDataDir, prepareDataDir, recordsIn } from './data-dir.ts'
import type { Disk } from './interface.ts'
import { openLevelDisk } from './level-disk.ts'

/**
 * The database of a data directory, which is this process's alone until it is closed.
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
