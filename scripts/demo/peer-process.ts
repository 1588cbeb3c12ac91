import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Found, Key, StoreOptions, Value } from '@waggle/dht'
import type { Answer, Ask, Question, Results } from './messages.ts'

const PEER = fileURLToPath(new URL('./peer.ts', import.meta.url))

/** A peer in a process of its own. */
export class PeerProcess implements AsyncDisposable {
  readonly name: string
  readonly #process: ChildProcess
  readonly #exited: Promise<unknown>
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>()
  #asked = 0

  constructor(name: string) {
    this.name = name
    this.#process = fork(PEER, { serialization: 'advanced' })
    this.#exited = once(this.#process, 'exit')
    this.#process.on('message', (answer: Answer) => this.#onAnswer(answer))
    this.#process.on('exit', (code) => this.#onExit(code))
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  /** Joins the network of another peer, or starts one. Returns this peer's address. */
  join(initialPeers: readonly string[]): Promise<string> {
    return this.#ask({ name: 'join', options: { initialPeers } })
  }

  store(key: Key, value: Value, options: StoreOptions): Promise<boolean> {
    return this.#ask({ name: 'store', key, value, options })
  }

  get(key: Key): Promise<Found | undefined> {
    return this.#ask({ name: 'get', key })
  }

  /** Stops the peer; resolves with the exit code once its process has ended by itself. */
  async leave(): Promise<number | null> {
    await this.#ask({ name: 'leave' })
    await this.#exited
    return this.#process.exitCode
  }

  /** Kills the process if it is still running. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      this.#process.kill()
      await this.#exited
    }
  }

  #ask<A extends Ask>(ask: A): Promise<Results[A['name']]> {
    const question: Question = { id: this.#asked++, ask }
    const waiting = Promise.withResolvers<unknown>()
    this.#waiting.set(question.id, waiting)
    this.#process.send(question)
    return waiting.promise as Promise<Results[A['name']]>
  }

  #onAnswer({ id, result, error }: Answer): void {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)

    if (error === undefined) {
      waiting?.resolve(result)
    } else {
      waiting?.reject(new Error(`${this.name}: ${error}`))
    }
  }

  #onExit(code: number | null): void {
    for (const { reject } of this.#waiting.values()) {
      reject(new Error(`${this.name}'s process ended with code ${code} before it responded`))
    }
  }
}
