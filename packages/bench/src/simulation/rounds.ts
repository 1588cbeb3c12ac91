import { setImmediate as allElseDone } from 'node:timers/promises'

/** Cost of an operation. */
export interface Cost {
  /** Requests and replies. */
  readonly messages: number

  /** Requests to peers that were not connected. */
  readonly dials: number

  /** Round trips: messages that are sent at the same time count once. */
  readonly hops: number
}

const MAX_IDLE_TURNS = 100_000

/** Clock of simulated messages: all requests of a round are answered together once no other work is pending. */
export class Rounds {
  #pending: { readonly answer: () => void; readonly messages: number }[] = []
  #messages = 0
  #dials = 0

  /** Resolves at the end of the round. Without a reply, rejects then, as for a reset connection. */
  request<T>(reply: (() => T) | undefined): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    this.#pending.push(
      reply === undefined
        ? { messages: 1, answer: () => reject(new Error('the peer is gone')) }
        : { messages: 2, answer: () => resolve(reply()) }
    )
    return promise
  }

  /** Counts a dial. */
  dial(): void {
    this.#dials++
  }

  /** Runs rounds until the operation is done. */
  async cost(operate: () => Promise<unknown>): Promise<Cost> {
    this.#messages = 0
    this.#dials = 0
    this.#pending = []
    let isDone = false
    const operation = operate().finally(() => {
      isDone = true
    })
    operation.catch(() => {})
    let hops = 0

    for (let idleTurns = 0; idleTurns < MAX_IDLE_TURNS; idleTurns++) {
      await allElseDone()

      if (isDone) {
        this.#answer()
        await operation
        return { messages: this.#messages, dials: this.#dials, hops }
      }

      if (this.#pending.length > 0) {
        hops++
        idleTurns = 0
        this.#answer()
      }
    }

    throw new Error('the operation waits for something else than messages')
  }

  /** Answers and counts all requests, even aborted ones. */
  #answer(): void {
    for (const { answer, messages } of this.#pending.splice(0)) {
      this.#messages += messages
      answer()
    }
  }
}
