import { setImmediate as allElseDone } from 'node:timers/promises'

/** Whoever asked is told only at the end of the round. */
interface Asked {
  readonly answer: () => void
  readonly messages: number
}

/** What an operation cost. */
export interface Cost {
  /** Questions and answers. */
  readonly messages: number

  /** How many times messages went one way and back, those sent at the same time counted once. */
  readonly hops: number
}

const MAX_IDLE_TURNS = 100_000

/**
 * Time for simulated messages: all questions of a round are answered at its end, together, when
 * nobody has anything left to do.
 */
export class Rounds {
  #asked: Asked[] = []
  #messages = 0

  /** Resolves, or rejects as a connection that is reset does, at the end of the round. */
  ask<T>(answer: (() => T) | undefined): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    this.#asked.push(
      answer === undefined
        ? { messages: 1, answer: () => reject(new Error('the peer is gone')) }
        : { messages: 2, answer: () => resolve(answer()) }
    )
    return promise
  }

  /** Lets rounds pass until the operation is done. */
  async cost(operate: () => Promise<unknown>): Promise<Cost> {
    this.#messages = 0
    this.#asked = []
    let isDone = false
    const operation = operate().finally(() => {
      isDone = true
    })
    operation.catch(() => {})
    let hops = 0

    for (let idleTurns = 0; idleTurns < MAX_IDLE_TURNS; idleTurns++) {
      await allElseDone()

      if (isDone) {
        this.#settle()
        await operation
        return { messages: this.#messages, hops }
      }

      if (this.#asked.length > 0) {
        hops++
        idleTurns = 0
        this.#settle()
      }
    }

    throw new Error('the operation waits for something else than messages')
  }

  /** What was asked counts, whether or not anybody still waits for the answer. */
  #settle(): void {
    for (const { answer, messages } of this.#asked.splice(0)) {
      this.#messages += messages
      answer()
    }
  }
}
