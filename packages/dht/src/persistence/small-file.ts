import { constants, open } from 'node:fs/promises'

/** Bytes of a file with a key or a number in it. */
export const MAX_SMALL_FILE_BYTES: number = 64 * 1024

export interface SmallFileOptions {
  /** Whether links are refused: in a folder that others can write to, a link may lead anywhere. */
  readonly isOwn?: boolean
}

/**
 * Reads a bounded regular file: a device may never end, and a pipe may block.
 *
 * @throws Error when it is not such a file, or can't be read
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

/** Writes a file that only its owner can read. Never follows a link. */
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

/** Mode bit of files that everyone may write to. */
const OTHERS_WRITE = 0o002

/**
 * Checks that a file or folder belongs to this process's user, or to root, and is not world-writable. Group write
 * access is accepted: the administrator has granted it.
 *
 * @throws Error when another user may have written it
 */
export function assertTrusted({ uid, mode }: Ownership): void {
  const user = process.getuid?.()

  if (user !== undefined && uid !== user && uid !== 0) {
    throw new Error(`it belongs to another user (${uid}), who may have put anything there`)
  }

  if (user !== undefined && (mode & OTHERS_WRITE) !== 0) {
    throw new Error('any user may write to it: remove that permission with chmod o-w')
  }
}

/** The flag that refuses links; none if the system lacks it. */
function noFollow(isOwn: boolean): number {
  return isOwn ? (constants.O_NOFOLLOW ?? 0) : 0
}
