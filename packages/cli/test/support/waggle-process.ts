import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { vi } from 'vitest'

/** Longest wait for a line, in ms: enough for a busy machine. */
const PATIENCE_MS = 20_000

export const BIN = fileURLToPath(new URL('../../bin/waggle.js', import.meta.url))

/** The result of a command. */
export interface Ended {
  /** Null if a signal killed it. */
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string | Uint8Array
  readonly timeoutMs?: number
}

/** Runs the command in a process of its own, until it ends. */
export async function waggle(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const child = start(args, options)
  child.stdin.end(options.input ?? '')
  const [stdout, stderr] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close')
  ])
  return { exitCode: child.exitCode, stdout, stderr }
}

/** Runs a shell script in which "$@" is the command. */
export async function waggleInShell(
  script: string,
  args: readonly string[],
  { env = {}, timeoutMs = 45_000 }: RunOptions = {}
): Promise<Ended> {
  const child = spawn('sh', ['-c', script, 'sh', process.execPath, BIN, ...args], {
    env: { ...cleanEnvironment(), ...env },
    // A group of its own, so that all of it ends in time.
    detached: true
  })
  const overdue = setTimeout(() => process.kill(-Number(child.pid), 'SIGKILL'), timeoutMs)
  const [stdout, stderr] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close')
  ])
  clearTimeout(overdue)
  return { exitCode: child.exitCode, stdout, stderr }
}

/** Runs the command with its output in a pipe. The exit code is the command's own; null if it did not end. */
export async function waggleInto(
  reader: string,
  args: readonly string[],
  options: RunOptions = {}
): Promise<Ended> {
  const script = `{ "$@"; echo "exit code $?" >&2; } | ${reader}`
  const { stdout, stderr } = await waggleInShell(script, args, options)
  const [, told = stderr, exitCode] = /^(.*)exit code (\d+)\n$/s.exec(stderr) ?? []
  return { exitCode: exitCode === undefined ? null : Number(exitCode), stdout, stderr: told }
}

/** A command that runs until it is stopped. */
export class RunningWaggle implements AsyncDisposable {
  readonly lines: string[] = []
  readonly #child: Child
  readonly #stderr: Promise<string>
  readonly #closed: Promise<unknown>

  constructor(args: readonly string[], options: RunOptions = {}) {
    this.#child = start(args, { timeoutMs: 120_000, ...options })
    this.#closed = once(this.#child, 'close')
    this.#stderr = text(this.#child.stderr)
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.lines.push(line))
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Waits until `found` finds something in the output, and returns it. */
  async until<T>(found: (lines: readonly string[]) => readonly T[]): Promise<readonly T[]> {
    return vi.waitFor(
      () => {
        const all = found(this.lines)

        if (all.length === 0) {
          throw new Error(`not yet written: ${found}; there is:\n${this.lines.join('\n')}`)
        }

        return all
      },
      { timeout: PATIENCE_MS, interval: 20 }
    )
  }

  /** Waits for a line that matches. */
  async line(pattern: RegExp): Promise<string> {
    const [line = ''] = await this.until((lines) => lines.filter((line) => pattern.test(line)))
    return line
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  type(input: string): void {
    this.#child.stdin.write(input)
  }

  async ended(): Promise<Ended> {
    await this.#closed
    const { exitCode } = this.#child
    return { exitCode, stdout: this.lines.join('\n'), stderr: await this.#stderr }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#closed
  }
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>

function start(args: readonly string[], { env = {}, timeoutMs = 45_000 }: RunOptions): Child {
  return spawn(process.execPath, [BIN, ...args], {
    env: { ...cleanEnvironment(), ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: timeoutMs,
    killSignal: 'SIGKILL'
  })
}

/** Removes variables of the tests' environment that change the command's behaviour. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const { NO_COLOR, FORCE_COLOR, NODE_OPTIONS, WAGGLE_INITIAL_PEERS, ...rest } = process.env
  return rest
}
