import type { MaybePromise } from '@waggle/record'
import type { Scheduler } from '../waggle-parts.ts'

/**
 * Milliseconds that a request beyond the peer's rate is delayed: the protocol cannot express that a node is busy.
 */
const PAUSE_MS = 20

/** A peer's request, processed key by key. */
export interface Turns<A> {
  /** The peer's id, as text. */
  readonly peer: string

  /** Number of keys in the request. */
  readonly keys: number

  /** Computes the response, one key in each step. */
  readonly answer: Generator<undefined, A>

  /** Whether the caller still waits for the response. */
  readonly isWanted: () => boolean
}

/** Responds within a peer's rate and in fair turns. Undefined when the caller no longer waits. */
export async function inTurn<A>(
  scheduler: Scheduler,
  { peer, keys, answer, isWanted }: Turns<MaybePromise<A>>
): Promise<A | undefined> {
  while (isWanted() && !scheduler.admission.admits(peer, keys)) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }

  const { promise, resolve, reject } = Promise.withResolvers<A | undefined>()
  scheduler.work.add(peer, {
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

const NOT_WANTED = { done: true, value: undefined } as const
