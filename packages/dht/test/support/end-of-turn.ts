import { setImmediate } from 'node:timers/promises'

/**
 * Resolves after some turns of the event loop. A lookup takes one step in each. Without a network, it needs no more
 * turns than it has steps.
 */
export async function turns(count = 1): Promise<void> {
  for (let i = 0; i < count; i++) {
    await setImmediate()
  }
}
