import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import type { DHTOptions, Found, GetOptions, Key, Stats, StoreOptions, Value } from '@waggle/dht'
import { killAtEnd } from './left-processes.ts'

/** A command for a peer's process. */
export type Ask =
  | { call: 'create'; options: DHTOptions }
  | { call: 'createPlain'; initialPeers: readonly string[] }
  | { call: 'store'; key: Key; value: Value; options: StoreOptions }
  | { call: 'get'; key: Key; options: GetOptions }
  | { call: 'stats' }
  | { call: 'protocols' }
  | { call: 'longestTurn' }
  | { call: 'events' }
  | { call: 'moveClock'; byMs: number }
  | { call: 'stop' }

export type Question = Ask & { id: number }
export type Answer = { id: number; result?: unknown; error?: string }

const MAIN = fileURLToPath(new URL('./peer-main.ts', import.meta.url))

/** Options of a peer's process. */
export interface PeerProcessOptions {
  /**
   * Maximum size of its files, in blocks of 512 or 1,024 bytes. Larger writes fail, as on a full disk.
   */
  readonly maxFileBlocks?: number

  /** Whether it runs a plain kad-dht, which takes no commands. */
  readonly isPlain?: boolean

  /** Milliseconds by which its wall clock is ahead when it starts. */
  readonly clockAheadMs?: number
}

/** A peer in an operating system process of its own. Disposing of it kills it, if it still runs. */
export class PeerProcess implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>()
  #asked = 0
  #multiaddrs: readonly string[] = []

  private constructor({ maxFileBlocks, clockAheadMs = 0 }: PeerProcessOptions) {
    const command = [process.execPath, '--conditions=@waggle/source', MAIN]
    const limited = ['sh', '-c', `ulimit -S -f ${maxFileBlocks} && exec "$0" "$@"`, ...command]
    const [program = '', ...args] = maxFileBlocks === undefined ? command : limited
    this.#child = spawn(program, args, {
      // One that is to have a full disk complains, and rightly so.
      stdio: ['ignore', 'inherit', maxFileBlocks === undefined ? 'inherit' : 'ignore', 'ipc'],
      serialization: 'advanced',
      env: { ...process.env, CLOCK_AHEAD_MS: String(clockAheadMs) }
    })
    killAtEnd(this.#child)
    this.#ended = once(this.#child, 'exit')
    this.#child.on('message', (answer: Answer) => this.#settle(answer))
    this.#child.on('exit', () => this.#rejectAll())
  }

  static async start(
    options: DHTOptions = {},
    processOptions: PeerProcessOptions = {}
  ): Promise<PeerProcess> {
    const peer = new PeerProcess(processOptions)

    try {
      const { initialPeers = [] } = options
      const create: Ask = processOptions.isPlain
        ? { call: 'createPlain', initialPeers: [initialPeers].flat().map(String) }
        : { call: 'create', options }
      peer.#multiaddrs = await peer.#ask<string[]>(create)
      return peer
    } catch (error) {
      await peer[Symbol.asyncDispose]()
      throw error
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  get multiaddrs(): readonly string[] {
    return this.#multiaddrs
  }

  store(key: Key, value: Value, options: StoreOptions): Promise<boolean> {
    return this.#ask({ call: 'store', key, value, options })
  }

  get(key: Key, options: GetOptions = {}): Promise<Found | undefined> {
    return this.#ask({ call: 'get', key, options })
  }

  stats(): Promise<Stats> {
    return this.#ask({ call: 'stats' })
  }

  /** Lists the protocols that it serves. */
  protocols(): Promise<string[]> {
    return this.#ask({ call: 'protocols' })
  }

  /**
   * Returns the length in ms of the longest turn of its event loop since the last call: see {@link TurnWatch}.
   */
  longestTurnMs(): Promise<number> {
    return this.#ask({ call: 'longestTurn' })
  }

  /** Suspends the whole process until {@link resume}, as a sleeping machine does. */
  suspend(): void {
    this.#child.kill('SIGSTOP')
  }

  resume(): void {
    this.#child.kill('SIGCONT')
  }

  /** Moves its wall clock forward, and not its timers. */
  moveClock(byMs: number): Promise<void> {
    return this.#ask({ call: 'moveClock', byMs })
  }

  /** Lists the names of all events so far. */
  events(): Promise<string[]> {
    return this.#ask({ call: 'events' })
  }

  /** Stops the DHT; resolves when the process has ended by itself, with its exit code. */
  async stop(): Promise<number | null> {
    await this.#ask({ call: 'stop' })
    await this.#ended
    return this.#child.exitCode
  }

  /** Kills the process, as the system does when memory runs out. Resolves when it is gone. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      await this.kill()
    }
  }

  #ask<T>(ask: Ask): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const id = this.#asked++
    this.#waiting.set(id, { promise, resolve, reject })
    this.#child.send({ ...ask, id }, (error) => error && reject(error))
    return promise as Promise<T>
  }

  #settle({ id, result, error }: Answer): void {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)

    if (error === undefined) {
      waiting?.resolve(result)
    } else {
      waiting?.reject(new Error(error))
    }
  }

  #rejectAll(): void {
    for (const { reject } of this.#waiting.values()) {
      reject(new Error('the process ended before it answered'))
    }
  }
}

/** Whether a process with this id exists. */
export function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
