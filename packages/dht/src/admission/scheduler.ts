import { DEFAULT_NODE_LIMITS } from '../node-limits.ts'
import { FairQueue } from './fair-queue.ts'
import { RateLimits, type Rates } from './rate-limits.ts'

/** A request in a protocol that has no BUSY response. */
export interface ScheduledRequest<A> {
  /** The peer's id, as text. */
  readonly peer: string

  /** Keys in the request. */
  readonly keys: number

  /** Computes the response, one key per step. */
  readonly answer: Generator<undefined, A>

  /** Whether the peer still waits for it. */
  readonly isWanted: () => boolean
}

/**
 * Schedules the requests of peers: in turns, and within their rates. All protocols share one, so
 * that a peer gets no more by using several of them.
 */
export class Scheduler {
  readonly work: FairQueue = new FairQueue()
  readonly admission: RateLimits

  constructor(rates: Rates = DEFAULT_NODE_LIMITS) {
    this.admission = new RateLimits(rates)
  }

  /** Responds in turns. A peer beyond its rate waits. Resolves with undefined when the peer no longer waits. */
  async run<A>({ peer, keys, answer, isWanted }: ScheduledRequest<A>): Promise<A | undefined> {
    while (isWanted() && !this.admission.admits(peer, keys)) {
      await new Promise((resolve) => setTimeout(resolve, BUSY_PAUSE_MS))
    }

    const { promise, resolve, reject } = Promise.withResolvers<A | undefined>()
    this.work.add(peer, {
      step() {
        try {
          const { done, value } = isWanted() ? answer.next() : NOT_WANTED

          if (done === true) {
            resolve(value)
          }

          return done === true
        } catch (error) {
          reject(error)
          return true
        }
      }
    })
    return promise
  }
}

const NOT_WANTED = { done: true, value: undefined } as const

/** Milliseconds for which nothing is read from a peer after a BUSY response. */
export const BUSY_PAUSE_MS = 20
