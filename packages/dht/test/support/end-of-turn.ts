import { setImmediate } from 'node:timers/promises'

/**
 * Resolves after so many turns of the event loop, in each of which lookups may take a step. What
 * they do without a network takes no more of them than it has steps.
 */
export async function turns(count = 1): Promise<void> {
  for (let i = 0; i < count; i++) {
    await setImmediate()
  }
}
