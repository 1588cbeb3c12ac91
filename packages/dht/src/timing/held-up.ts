import { atEndOfTurn } from './end-of-turn.ts'

/** A timer that comes so much too late was held up by other work of this process. */
const HELD_UP_MS = 100

/**
 * Does what falls due, at once; but after the process was held up, only when what has arrived meanwhile has been
 * taken in: timers come before it, and an answer that is there is not late.
 */
export function onceHeard(dueMs: number, task: () => void): void {
  if (performance.now() - dueMs > HELD_UP_MS) {
    atEndOfTurn(task)
  } else {
    task()
  }
}
