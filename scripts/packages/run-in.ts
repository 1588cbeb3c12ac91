import { spawnSync } from 'node:child_process'

/** The result of a command. */
export interface Run {
  readonly exitCode: number | null
  readonly output: string
}

/** Longest time for a command, in ms: only a registry that does not respond takes longer. */
const TIMEOUT_MS = 180_000

/** Runs a command in a folder. */
export function runIn(
  folder: string,
  [file = '', ...args]: readonly string[],
  env: NodeJS.ProcessEnv = process.env
): Run {
  const { status, stdout, stderr, error } = spawnSync(file, args, {
    cwd: folder,
    env,
    encoding: 'utf8',
    timeout: TIMEOUT_MS
  })
  return { exitCode: status, output: `${stdout}${stderr}${error?.message ?? ''}`.trim() }
}

/** Runs a command in a folder, and throws if it fails. */
export function mustRun(
  folder: string,
  command: readonly string[],
  env?: NodeJS.ProcessEnv
): string {
  const { exitCode, output } = runIn(folder, command, env)

  if (exitCode !== 0) {
    throw new Error(`${command.join(' ')} ended with ${exitCode}:\n${output}`)
  }

  return output
}
