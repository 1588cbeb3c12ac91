import { constants, open } from 'node:fs/promises'

/** Bytes of a file with a key or a number in it. */
export const MAX_SMALL_FILE_BYTES: number = 64 * 1024

export interface SmallFileOptions {
  /** Whether a link is no file: in a folder to which others may write, it may lead anywhere. */
  readonly isOwn?: boolean
}

/**
 * Reads a file that can't be large: no device, which may never end, and no pipe, for which one would wait.
 *
 * @throws Error when it is none, or can't be read
 */
export async function readSmallFile(
  path: string,
  { isOwn = false }: SmallFileOptions = {}
): Promise<Uint8Array> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | noFollow(isOwn))

  try {
    const status = await file.stat()

    if (!status.isFile()) {
      throw new Error('it is not a regular file')
    }

    if (status.size > MAX_SMALL_FILE_BYTES) {
      throw new Error(
        `it has ${status.size} bytes, and no key has more than ${MAX_SMALL_FILE_BYTES}`
      )
    }

    if (isOwn) {
      assertTrusted(status)
    }

    const { buffer, bytesRead } = await file.read(new Uint8Array(MAX_SMALL_FILE_BYTES))
    return buffer.slice(0, bytesRead)
  } finally {
    await file.close()
  }
}

/** Writes a file for its owner only; never through a link. */
export async function writeSmallFile(path: string, text: string): Promise<void> {
  const { O_CREAT, O_NONBLOCK, O_TRUNC, O_WRONLY } = constants
  const file = await open(path, O_CREAT | O_NONBLOCK | O_TRUNC | O_WRONLY | noFollow(true), 0o600)

  try {
    await file.writeFile(text)
  } finally {
    await file.close()
  }
}

/** Owner and mode of a file or a folder. */
export interface Ownership {
  readonly uid: number
  readonly mode: number
}

/** Others may write to it. */
const OTHERS_WRITE = 0o002

/**
 * A file or folder of this process's user, or of root, to which not everybody may write. A group may:
 * whoever runs the machine has made it so.
 *
 * @throws Error when somebody else may have put something there
 */
export function assertTrusted({ uid, mode }: Ownership): void {
  const user = process.getuid?.()

  if (user !== undefined && uid !== user && uid !== 0) {
    throw new Error(`it belongs to another user (${uid}), who may have put anything there`)
  }

  if (user !== undefined && (mode & OTHERS_WRITE) !== 0) {
    throw new Error('everybody may write to it: chmod o-w makes that impossible')
  }
}

/** None where the system has no such flag. */
function noFollow(isOwn: boolean): number {
  return isOwn ? (constants.O_NOFOLLOW ?? 0) : 0
}
