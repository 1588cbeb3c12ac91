import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** The root folder of the repository. */
export const ROOT: string = fileURLToPath(new URL('../../../..', import.meta.url))

export interface ScriptRun {
  /** The exit code; null if the process was killed. */
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a TypeScript file in a process of its own, on the packages' sources. */
export async function runScript(
  path: string,
  { timeoutMs = 30_000 }: { timeoutMs?: number } = {}
): Promise<ScriptRun> {
  const child = spawn(process.execPath, ['--conditions=@waggle/source', path], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: timeoutMs
  })
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk) => {
    output.stdout += chunk
  })
  child.stderr.on('data', (chunk) => {
    output.stderr += chunk
  })
  await once(child, 'close')
  return { exitCode: child.exitCode, ...output }
}
