import type { MaybePromise } from '@waggle/record'
import type { Scheduler } from '../waggle-parts.ts'

/** Milliseconds that a peer beyond its rate waits: the protocol has no word for being busy. */
const PAUSE_MS = 20

/** Work for a peer, key by key. */
export interface Turns<A> {
  /** The peer's id, as text. */
  readonly peer: string

  /** Keys that it asks about. */
  readonly keys: number

  /** Works out the answer, one key a step. */
  readonly answer: Generator<undefined, A>

  /** Whether anybody still waits for it. */
  readonly isWanted: () => boolean
}

/** Answers within a peer's rate and in fair turns. Undefined when nobody waits any more. */
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
