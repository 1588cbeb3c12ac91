import { DEFAULT_NODE_LIMITS } from '../node-limits.ts'
import { CpuShares } from './cpu-shares.ts'
import { FairQueue } from './fair-queue.ts'
import { RateLimits, type Rates } from './rate-limits.ts'

/** Keys that a peer asks about, in a protocol that has no word for being busy. */
export interface ScheduledRequest<A> {
  /** The peer's id, as text. */
  readonly peer: string

  /** How many keys it asks about. */
  readonly keys: number

  /** Works out the answer, key by key. */
  readonly answer: Generator<undefined, A>

  /** Whether anybody still waits for it. */
  readonly isWanted: () => boolean
}

/**
 * What a node has for those who ask, by whatever protocol: turns, and as many keys as their rates allow.
 * All protocols have it together, so that nobody gets more by speaking several of them.
 */
export class Scheduler {
  readonly work: FairQueue
  readonly admission: RateLimits

  constructor(rates: Rates = DEFAULT_NODE_LIMITS, shares: CpuShares = new CpuShares()) {
    this.work = new FairQueue(shares)
    this.admission = new RateLimits(rates)
  }

  /** Answers in turns; whoever asks for more than its rate waits. Undefined when nobody wants the answer any more. */
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

/** For so long nothing is taken in from a peer that has just been told that there is too much to do. */
export const BUSY_PAUSE_MS = 20
