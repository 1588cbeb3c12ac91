import { spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('./scenario-main.ts', import.meta.url))
const PATIENCE_MS = 45_000

/** The end of a process. */
export interface Ending {
  /** The exit code; null if the process was killed. */
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string

  /** Milliseconds from the end of its work to the end of the process. */
  readonly lingeredMs: number
}

/** Runs a scenario in a process of its own, until that ends by itself. */
export async function endOf(scenario: string): Promise<Ending> {
  const flags = ['--conditions=@waggle/source', '--trace-warnings', '--unhandled-rejections=strict']
  const child = spawn(process.execPath, [...flags, MAIN, scenario], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: PATIENCE_MS
  })
  let overMs = Number.NaN
  child.stdout.once('data', () => {
    overMs = performance.now()
  })

  const [stdout, stderr, [exitCode]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit')
  ])

  return { exitCode, stdout, stderr, lingeredMs: performance.now() - overMs }
}
