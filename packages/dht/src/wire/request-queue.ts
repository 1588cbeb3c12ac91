import { AbortError } from '@libp2p/interface'
import type { CancellationToken } from '../timing/cancellation.ts'
import { MAX_KEYS_PER_MESSAGE, TARGET_MESSAGE_BYTES } from './limits.ts'

/** A question that has not been answered. */
export interface Waiting<Q, A> {
  readonly question: Q
  readonly cancellation: CancellationToken | undefined
  readonly resolve: (answer: A) => void
  readonly reject: (error: Error) => void
}

export interface RequestQueueInit<Q> {
  /** What a question adds to a message in bytes, or nearly so. */
  readonly sizeOf: (question: Q) => number

  /** Whether two questions can go in one message. */
  readonly isAlike: (a: Q, b: Q) => boolean
}

/** Questions to one peer, in the order in which they are to be asked. Those that nobody wants any more reject. */
export class RequestQueue<Q, A> {
  readonly #init: RequestQueueInit<Q>
  #waiting: Waiting<Q, A>[] = []
  #bytes = 0

  constructor(init: RequestQueueInit<Q>) {
    this.#init = init
  }

  /** How many there are. */
  get length(): number {
    return this.#waiting.length
  }

  /** What they add to messages; without those that have been taken. */
  get bytes(): number {
    return this.#bytes
  }

  /** Puts one behind all others. */
  push(waiting: Waiting<Q, A>): void {
    this.#waiting.push(waiting)
    this.#bytes += this.#init.sizeOf(waiting.question)
  }

  /** Puts questions in front that have been taken, and have to be asked again. */
  putBack(batch: readonly Waiting<Q, A>[]): void {
    this.#waiting.unshift(...batch)
    this.#bytes += this.bytesOf(batch)
  }

  /** Takes the first one, and those behind it that can go in the same message. */
  takeBatch(): Waiting<Q, A>[] {
    const batch: Waiting<Q, A>[] = []
    let sizeBytes = 0
    let taken = 0

    for (const waiting of this.#waiting) {
      const bytes = this.#init.sizeOf(waiting.question)

      if (isWanted(waiting)) {
        if (!this.#isInMessage(waiting.question, batch, sizeBytes + bytes)) {
          break
        }

        sizeBytes += bytes
        batch.push(waiting)
      }

      this.#bytes -= bytes
      taken++
    }

    this.#waiting.splice(0, taken)
    return batch
  }

  /** Leaves nothing. */
  takeAll(): Waiting<Q, A>[] {
    const all = this.#waiting
    this.#waiting = []
    this.#bytes = 0
    return all
  }

  /** Leaves those that somebody still wants. */
  dropUnwanted(): void {
    for (const waiting of this.takeAll()) {
      if (isWanted(waiting)) {
        this.push(waiting)
      }
    }
  }

  /** What some of them add to messages. */
  bytesOf(batch: readonly Waiting<Q, A>[]): number {
    return batch.reduce((sum, { question }) => sum + this.#init.sizeOf(question), 0)
  }

  /** Whether a question can go behind those in one message, which then has so many bytes. */
  #isInMessage(question: Q, batch: readonly Waiting<Q, A>[], sizeBytes: number): boolean {
    const [first] = batch
    return (
      first === undefined ||
      (sizeBytes <= TARGET_MESSAGE_BYTES &&
        batch.length < MAX_KEYS_PER_MESSAGE &&
        this.#init.isAlike(question, first.question))
    )
  }
}

/** Rejects one that is not. */
function isWanted<Q, A>({ cancellation, reject }: Waiting<Q, A>): boolean {
  const isWanted = cancellation?.isCancelled !== true

  if (!isWanted) {
    reject(NO_LONGER_WANTED)
  }

  return isWanted
}

/** Made once: an error with its stack is dear on the path of every get. */
const NO_LONGER_WANTED = new AbortError('nobody wants the answer any more')
