import { eachStep, STEP_MS } from '../timing/running-time.ts'

/** Pings started at once, and at each step without an answer. */
const WIDTH = 8

export interface PingRoundInit<C> {
  readonly connections: Iterable<C>

  /** Resolves when the other end has answered; rejects if it can't answer any more. */
  readonly ping: (connection: C, signal: AbortSignal) => Promise<void>

  /** Milliseconds of running time without any answer after which a connection that was pinged meanwhile is dead. */
  readonly silenceMs: number

  /** Ends a connection that is dead. */
  readonly end: (connection: C, error: Error) => void
}

interface Ping {
  readonly controller: AbortController

  /** Step at which it was sent. */
  readonly sentAt: number
}

/**
 * Pings connections, a few at a time, and ends the dead ones (N8l, N10j). The time for an answer starts anew with each
 * answer on any connection, because a host with much to do answers one ping after the other, and it stands still
 * while this process does.
 */
export class PingRound<C> {
  readonly #init: PingRoundInit<C>
  readonly #waiting: C[]
  readonly #pings = new Map<C, Ping>()
  readonly #done = Promise.withResolvers<void>()
  readonly #stopSteps: () => void
  #steps = 0

  /** Step of the last answer. */
  #answeredAt = 0

  constructor(init: PingRoundInit<C>) {
    this.#init = init
    this.#waiting = [...init.connections]
    this.#stopSteps = eachStep(() => this.#step())
    this.#start(WIDTH)
  }

  /** Resolves when each connection has answered or was ended, or the round was stopped. */
  get done(): Promise<void> {
    return this.#done.promise
  }

  /** Ends the round, and no connection. */
  stop(): void {
    const pings = [...this.#pings.values()]
    this.#waiting.length = 0
    this.#pings.clear()
    this.#settle()

    for (const { controller } of pings) {
      controller.abort()
    }
  }

  #step(): void {
    const { silenceMs } = this.#init
    this.#steps++

    for (const [connection, { sentAt }] of this.#pings) {
      if ((this.#steps - Math.max(sentAt, this.#answeredAt)) * STEP_MS >= silenceMs) {
        this.#end(connection, new Error(`no answer to a ping within ${silenceMs} ms`))
      }
    }

    if (this.#answeredAt < this.#steps - 1) {
      this.#start(WIDTH)
    }
  }

  #start(count: number): void {
    for (const connection of this.#waiting.splice(0, count)) {
      const controller = new AbortController()
      this.#pings.set(connection, { controller, sentAt: this.#steps })
      this.#init.ping(connection, controller.signal).then(
        () => this.#onAnswer(connection),
        (error) => this.#end(connection, error)
      )
    }

    this.#settle()
  }

  #onAnswer(connection: C): void {
    if (this.#pings.delete(connection)) {
      this.#answeredAt = this.#steps
      this.#start(1)
    }
  }

  #end(connection: C, error: Error): void {
    const ping = this.#pings.get(connection)

    if (ping !== undefined) {
      this.#pings.delete(connection)
      this.#init.end(connection, error)
      ping.controller.abort(error)
      this.#start(1)
    }
  }

  #settle(): void {
    if (this.#pings.size === 0 && this.#waiting.length === 0) {
      this.#stopSteps()
      this.#done.resolve()
    }
  }
}
