import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Answer, Handlers, Params, Question, Reply } from './handlers.ts'

/** How long a process may take to answer, when the caller does not say. */
const DEFAULT_TIMEOUT_MS = 60_000

interface Pending {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
}

export interface RemoteOptions {
  /** Kills the process. */
  readonly signal: AbortSignal
}

/**
 * A process of ours that answers questions: lines of JSON by its standard input and output, so that
 * it may be of any language. It ends when its input does, so none is left when we are killed.
 */
export class Remote<H extends Handlers> {
  readonly #child: ChildProcess
  readonly #pending = new Map<number, Pending>()
  readonly #exited: Promise<unknown>
  #lastId = 0
  #failure: Error | undefined

  constructor([file = '', ...args]: readonly string[], { signal }: RemoteOptions) {
    signal.throwIfAborted()
    this.#child = spawn(file, args, {
      stdio: ['pipe', 'pipe', 'inherit'],
      signal,
      killSignal: 'SIGKILL'
    })
    this.#child.on('error', (error) => this.#fail(error))
    this.#exited = new Promise((resolve) => this.#child.once('close', resolve))
    this.#child.on('close', (code, by) => this.#fail(new Error(`${file} ended: ${by ?? code}`)))
    this.#child.stdin?.on('error', (error) => this.#fail(error))

    if (this.#child.stdout !== null) {
      createInterface({ input: this.#child.stdout }).on('line', (line) => this.#onLine(line))
    }
  }

  /** The id of the process. */
  get pid(): number {
    if (this.#child.pid === undefined) {
      throw new Error('the process did not start')
    }

    return this.#child.pid
  }

  /** Asks one question. Rejects with what the handler threw, when the process ends, or when it takes too long; then it is killed. */
  async call<K extends keyof H & string>(
    name: K,
    params: Params<H, K>,
    timeoutMs: number = DEFAULT_TIMEOUT_MS
  ): Promise<Answer<H, K>> {
    if (this.#failure !== undefined) {
      throw this.#failure
    }

    const id = ++this.#lastId
    const question: Question = { id, name, params }
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const timer = setTimeout(() => this.#onTimeout(name, timeoutMs), timeoutMs)
    this.#pending.set(id, { resolve, reject })
    this.#child.stdin?.write(`${JSON.stringify(question)}\n`)

    try {
      return (await promise) as Answer<H, K>
    } finally {
      clearTimeout(timer)
      this.#pending.delete(id)
    }
  }

  /** Ends the process at once, as a crash would. Resolves when it is gone. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#exited
  }

  #onLine(line: string): void {
    try {
      this.#onReply(JSON.parse(line) as Reply)
    } catch {
      this.#fail(new Error(`not an answer: ${line}`))
      this.#child.kill('SIGKILL')
    }
  }

  #onReply({ id, result, error }: Reply): void {
    const pending = this.#pending.get(id)

    if (error === undefined) {
      pending?.resolve(result)
    } else {
      pending?.reject(new Error(error))
    }
  }

  #onTimeout(name: string, timeoutMs: number): void {
    this.#fail(new Error(`${name}: no answer within ${timeoutMs} ms`))
    this.#child.kill('SIGKILL')
  }

  #fail(error: Error): void {
    this.#failure ??= error

    for (const { reject } of this.#pending.values()) {
      reject(error)
    }
  }
}
