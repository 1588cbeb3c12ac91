import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import type { Answer, ArgumentOf, Call, Calls, ResultOf } from './calls.ts'

/** Where Node keeps compiled code: a process that starts takes half the time, which others would miss. */
const COMPILE_CACHE = join(tmpdir(), 'waggle-bench-code')

export interface CalledProcessOptions {
  /** Aborting it kills the process. */
  readonly signal?: AbortSignal

  /** For Node, besides what it takes to run our source. */
  readonly flags?: readonly string[]

  /** Where it runs, if not on this host. */
  readonly host?: { command(command: readonly string[]): string[] } | undefined
}

/** What reads the packages' source without a build. */
const SOURCE_FLAG = '--conditions=@waggle/source'

/**
 * A process of its own, whose functions can be called as if they were here. Its file calls
 * `answerCalls`. Disposing of it kills it, if it still runs.
 */
export class CalledProcess<C extends Calls<C>> implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>()
  #calls = 0

  constructor(file: URL, { signal, flags = [], host }: CalledProcessOptions = {}) {
    const command = [process.execPath, SOURCE_FLAG, ...flags, fileURLToPath(file)]
    const [program = '', ...args] = host?.command(command) ?? command
    this.#child = spawn(program, args, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      serialization: 'advanced',
      killSignal: 'SIGKILL',
      env: { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE },
      ...(signal && { signal })
    })
    this.#ended = once(this.#child, 'exit').catch(() => {})
    this.#child.on('message', (answer: Answer) => this.#settle(answer))
    this.#child.on('exit', () => this.#rejectAll(new Error('the process ended before it answered')))
    this.#child.on('error', (error) => this.#rejectAll(error))
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Rejects with what the function threw, or when the process ends first. */
  call<Name extends keyof C & string>(
    name: Name,
    argument: ArgumentOf<C[Name]>
  ): Promise<ResultOf<C[Name]>> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const call: Call = { id: this.#calls++, name, argument }
    this.#waiting.set(call.id, { promise, resolve, reject })
    this.#child.send(call, (error) => error && reject(error))
    return promise as Promise<ResultOf<C[Name]>>
  }

  /** Ends the process as the system does when memory runs out; resolves when it is gone. */
  async kill(): Promise<void> {
    if (this.isRunning) {
      this.#child.kill('SIGKILL')
      await this.#ended
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }

  #settle(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id)
    this.#waiting.delete(answer.id)

    if ('error' in answer) {
      waiting?.reject(new Error(answer.error))
    } else {
      waiting?.resolve(answer.result)
    }
  }

  #rejectAll(error: Error): void {
    for (const { reject } of this.#waiting.values()) {
      reject(error)
    }

    this.#waiting.clear()
  }
}
