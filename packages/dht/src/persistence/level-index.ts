import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Layout of LevelDB's logs, and of its index (MANIFEST). */
const BLOCK_BYTES = 32_768
const HEADER_BYTES = 7
const LENGTH_OFFSET = 4
const TYPE_OFFSET = 6

/** Types of a whole entry, and of the last part of one. */
const ENDS_OF_ENTRIES: readonly number[] = [1, 4]

/**
 * Checks whether the list of a database's files is complete. LevelDB detects garbage in it, but takes a truncated
 * list for a shorter one, and then forgets, deletes or overwrites files.
 */
export async function hasWholeIndex(folder: string): Promise<boolean> {
  const files = await readdir(folder)

  if (!files.includes('CURRENT')) {
    return !files.some((file) => /\.(?:ldb|sst|log)$/.test(file))
  }

  try {
    const index = await readFile(join(folder, 'CURRENT'), 'utf8')
    return isWhole(await readFile(join(folder, index.trim())))
  } catch {
    return false
  }
}

/** Checks whether the last entry is complete. */
function isWhole(log: Buffer): boolean {
  let position = 0
  let type: number | undefined

  while (position < log.length) {
    const leftInBlock = BLOCK_BYTES - (position % BLOCK_BYTES)

    if (leftInBlock < HEADER_BYTES) {
      position += leftInBlock
    } else if (position + HEADER_BYTES > log.length) {
      return false
    } else {
      type = log[position + TYPE_OFFSET]
      position += HEADER_BYTES + log.readUInt16LE(position + LENGTH_OFFSET)
    }
  }

  return position === log.length && type !== undefined && ENDS_OF_ENTRIES.includes(type)
}
