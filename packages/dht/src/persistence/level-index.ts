import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** The form of LevelDB's logs, in which its index (MANIFEST) is written, too. */
const BLOCK_BYTES = 32_768
const HEADER_BYTES = 7
const LENGTH_OFFSET = 4
const TYPE_OFFSET = 6

/** A whole entry, or the last part of one. */
const ENDS_OF_ENTRIES: readonly number[] = [1, 4]

/**
 * Whether the list of a database's files is there and complete. LevelDB finds garbage in it by
 * itself, but takes one that is cut off for a shorter one: then it forgets files, deletes them or
 * writes over them.
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

/** Whether the last entry has an end. */
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
