import { chmod, lstat, mkdir, readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { CommandError } from '../errors.ts'

const SUFFIX = '.sock'

/** The directory of the sockets of this user's nodes, which only this user can open. */
export function controlFolder(): string {
  return join(tmpdir(), `waggle-${userId()}`)
}

export function controlPath(pid: number): string {
  return join(controlFolder(), `${pid}${SUFFIX}`)
}

/**
 * Creates the folder. A folder of another user is refused, because its owner could read or forge responses.
 *
 * @throws CommandError
 */
export async function prepareControlFolder(): Promise<void> {
  const folder = controlFolder()
  await mkdir(folder, { mode: 0o700, recursive: true })
  await assertOwn(folder)
  await chmod(folder, 0o700)
}

/**
 * Lists the sockets of nodes, including stale ones of killed nodes.
 *
 * @throws CommandError if the folder belongs to another user
 */
export async function controlPaths(): Promise<string[]> {
  const names = await readdir(controlFolder()).catch(() => [])
  await (names.length > 0 && assertOwn(controlFolder()))
  return names
    .filter((name) => name.endsWith(SUFFIX))
    .sort()
    .map((name) => join(controlFolder(), name))
}

/** Checks the owner of the folder itself: a link of another user is refused, whatever its target. */
async function assertOwn(folder: string): Promise<void> {
  const { uid } = await lstat(folder)

  if (uid !== userId()) {
    throw new CommandError(
      `${folder} belongs to another user: remove it, or choose another path with --control`
    )
  }
}

/**
 * Identifies the user by number, because a user in a container may have no name. Without numbers, `lstat` gives 0.
 */
function userId(): number {
  return process.getuid?.() ?? 0
}
