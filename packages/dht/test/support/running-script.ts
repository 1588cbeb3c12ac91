import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { vi } from 'vitest'
import { ROOT } from './run-script.ts'

const PATIENCE_MS = 20_000

/** A TypeScript file that runs in a process of its own until it is stopped, and its output. */
export class RunningScript implements AsyncDisposable {
  readonly lines: string[] = []
  readonly #child: ChildProcessByStdio<null, Readable, Readable>
  readonly #closed: Promise<unknown>
  readonly #stderr: Promise<string>

  constructor(path: string, args: readonly string[] = []) {
    this.#child = spawn(process.execPath, ['--conditions=@waggle/source', path, ...args], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 3 * PATIENCE_MS,
      killSignal: 'SIGKILL'
    })
    this.#closed = once(this.#child, 'close')
    this.#stderr = text(this.#child.stderr)
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.lines.push(line))
  }

  /** Waits for a line that matches. */
  async line(pattern: RegExp): Promise<string> {
    return this.#found(pattern, () => this.lines.find((line) => pattern.test(line)))
  }

  /** Waits until the last line matches. */
  async last(pattern: RegExp): Promise<string> {
    return this.#found(pattern, () => this.lines.slice(-1).find((line) => pattern.test(line)))
  }

  #found(pattern: RegExp, find: () => string | undefined): Promise<string> {
    return vi.waitFor(
      () => {
        const found = find()

        if (found === undefined) {
          throw new Error(`no line like ${pattern}; there is:\n${this.lines.join('\n')}`)
        }

        return found
      },
      { timeout: PATIENCE_MS, interval: 20 }
    )
  }

  /** Sends a signal, and waits for the end of the process. */
  async end(signal: NodeJS.Signals): Promise<{ exitCode: number | null; stderr: string }> {
    this.#child.kill(signal)
    await this.#closed
    return { exitCode: this.#child.exitCode, stderr: await this.#stderr }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end('SIGKILL')
  }
}
