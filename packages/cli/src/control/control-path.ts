import { chmod, lstat, mkdir, readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { CommandError } from '../errors.ts'

const SUFFIX = '.sock'

/** Where the nodes of this user say that they are, for nobody else. */
export function controlFolder(): string {
  return join(tmpdir(), `waggle-${userId()}`)
}

export function controlPath(pid: number): string {
  return join(controlFolder(), `${pid}${SUFFIX}`)
}

/**
 * Makes the folder. What another user has put there is not used: they could listen, or answer, in our place.
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
 * The sockets that nodes have made; some may be left over from those that were killed.
 *
 * @throws CommandError where another user has put the folder there
 */
export async function controlPaths(): Promise<string[]> {
  const names = await readdir(controlFolder()).catch(() => [])
  await (names.length > 0 && assertOwn(controlFolder()))
  return names
    .filter((name) => name.endsWith(SUFFIX))
    .sort()
    .map((name) => join(controlFolder(), name))
}

/** A link would be another user's, too, whatever it leads to. */
async function assertOwn(folder: string): Promise<void> {
  const { uid } = await lstat(folder)

  if (uid !== userId()) {
    throw new CommandError(
      `${folder} belongs to another user: remove it, or name another place with --control`
    )
  }
}

/** By its number: in a container, a user need not have a name. Where there are no numbers, `lstat` gives 0. */
function userId(): number {
  return process.getuid?.() ?? 0
}
