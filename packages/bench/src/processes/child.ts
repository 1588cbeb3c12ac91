import { type ChildProcess, spawn } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Handlers, Reply, Request } from './serve.ts'

/** Folder of Node's compile cache, which halves the start time of a process. */
const COMPILE_CACHE = join(tmpdir(), 'waggle-bench-code')

/** Time limit of a call. Some systems wait for seconds on each dead peer. */
const DEFAULT_TIMEOUT_MS = 300_000

export interface ChildOptions {
  /** Kills the process. */
  readonly signal: AbortSignal

  /** @default 300_000 */
  readonly timeoutMs?: number
}

/** Environment of a process whose compiled code is kept for the next one. */
export const CACHING: NodeJS.ProcessEnv = { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE }

/** Returns the command that runs a file of this package from source, with garbage collection on demand. */
export function nodeCommand(file: URL, ...args: readonly string[]): string[] {
  const flags = ['--conditions=@waggle/source', '--expose-gc']
  return [process.execPath, ...flags, fileURLToPath(file), ...args]
}

/** Returns the same command, with `@waggle/dht` and `@waggle/record` as they are published: bundled. */
export function bundledCommand(file: URL, ...args: readonly string[]): string[] {
  const [node = '', ...rest] = nodeCommand(file, ...args)
  return [node, '--conditions=@waggle/bundle', ...rest]
}

/**
 * A child process whose functions can be called. Each request and reply is one line of JSON on its standard input
 * and output, so it can be written in any language. It ends when its input does, so it never outlives this process.
 */
export class Child<H extends Handlers> implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #pending = new Map<number, PromiseWithResolvers<unknown>>()
  readonly #exited: Promise<unknown>
  readonly #timeoutMs: number
  #lastId = 0
  #failure: Error | undefined

  constructor([file = '', ...args]: readonly string[], options: ChildOptions) {
    const { signal, timeoutMs = DEFAULT_TIMEOUT_MS } = options
    signal.throwIfAborted()
    this.#timeoutMs = timeoutMs
    this.#child = spawn(file, args, {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: CACHING,
      signal,
      killSignal: 'SIGKILL'
    })
    this.#exited = new Promise((resolve) => this.#child.once('close', resolve))
    this.#child.on('error', (error) => this.#fail(error))
    this.#child.on('close', (code, by) => this.#fail(new Error(`${file} ended: ${by ?? code}`)))
    this.#child.stdin?.on('error', (error) => this.#fail(error))
    createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }).on('line', (line) =>
      this.#onLine(line)
    )
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  get isRunning(): boolean {
    return this.#failure === undefined
  }

  /** Calls a function. Rejects with its error, when the process ends, and on a timeout, which kills the process. */
  async call<K extends keyof H & string>(
    name: K,
    ...[params]: Parameters<H[K]>
  ): Promise<Awaited<ReturnType<H[K]>>> {
    if (this.#failure !== undefined) {
      throw this.#failure
    }

    const reply = Promise.withResolvers<unknown>()
    const request: Request = { id: ++this.#lastId, name, params: params ?? {} }
    const timer = setTimeout(() => {
      this.#fail(new Error(`${name}: no reply within ${this.#timeoutMs} ms`))
    }, this.#timeoutMs)
    this.#pending.set(request.id, reply)
    this.#child.stdin?.write(`${JSON.stringify(request)}\n`)

    try {
      return ((await reply.promise) ?? undefined) as Awaited<ReturnType<H[K]>>
    } finally {
      clearTimeout(timer)
      this.#pending.delete(request.id)
    }
  }

  /** Kills the process as a crash would. Resolves when it is gone. */
  async kill(): Promise<void> {
    this.#failure ??= new Error('the process was killed')
    this.#child.kill('SIGKILL')
    await this.#exited
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }

  #onLine(line: string): void {
    try {
      const { id, result, error } = JSON.parse(line) as Reply
      const reply = this.#pending.get(id)
      error === undefined ? reply?.resolve(result) : reply?.reject(new Error(error))
    } catch {
      this.#fail(new Error(`not a reply: ${line}`))
    }
  }

  /** Kills the process, if it still runs, and rejects all pending calls. */
  #fail(error: Error): void {
    this.#failure ??= error
    this.#child.kill('SIGKILL')

    for (const { reject } of this.#pending.values()) {
      reject(this.#failure)
    }
  }
}
