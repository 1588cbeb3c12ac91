import { AbortError } from '@libp2p/interface'
import { ValidationError } from '@waggle/record'
import { tell } from '../live/tell.ts'
import { assertFunction } from '../option-checks.ts'
import type { PublicationState } from './publication.ts'

/** The state of a publication, its listeners, and the calls that wait until the value is held. */
export class PublicationStatus {
  readonly #listeners = new Set<(state: PublicationState) => void>()

  /** Reject the calls that wait. */
  readonly #waiting = new Set<(reason: Error) => void>()
  #state: PublicationState = 'pending'
  #error: Error | undefined

  get state(): PublicationState {
    return this.#state
  }

  get error(): Error | undefined {
    return this.#error
  }

  get isStopped(): boolean {
    return this.#state === 'stopped'
  }

  /** Enters a state, and tells the listeners if it is another one. */
  become(state: PublicationState, error?: Error): void {
    const isNew = state !== this.#state
    this.#state = state
    this.#error = error

    for (const listener of isNew ? [...this.#listeners] : []) {
      tell(listener, state)
    }
  }

  /** Takes a refusal by this node's validators, which a retry would hardly change: nobody waits any longer. */
  refuse(error: ValidationError): void {
    this.become('pending', error)

    for (const reject of this.#waiting) {
      reject(error)
    }
  }

  /** Ends it for good. */
  stop(): void {
    this.become('stopped')
    this.#listeners.clear()
  }

  /** Calls a listener with each new state, and returns a function that ends this. */
  subscribe(listener: (state: PublicationState) => void): () => void {
    assertFunction(listener, 'the listener')
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Resolves once the value is held. Rejects when a validator refuses it, or the publication ends before. */
  async whenHeld(): Promise<void> {
    if (this.#state === 'held') {
      return
    }

    this.assertLive()

    if (this.#error instanceof ValidationError) {
      throw this.#error
    }

    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#waiting.add(reject)
    const unsubscribe = this.subscribe((state) => {
      if (state === 'held') {
        resolve()
      } else if (state === 'stopped') {
        reject(endedError())
      }
    })

    try {
      await promise
    } finally {
      unsubscribe()
      this.#waiting.delete(reject)
    }
  }

  /** @throws AbortError when the publication has ended */
  assertLive(): void {
    if (this.isStopped) {
      throw endedError()
    }
  }
}

function endedError(): AbortError {
  return new AbortError('the publication has ended')
}
