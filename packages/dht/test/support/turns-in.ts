import { setTimeout } from 'node:timers/promises'

/** Counts the runs of a timer in some milliseconds. */
export async function turnsIn(ms: number): Promise<number> {
  const endMs = performance.now() + ms
  let turns = 0

  while (performance.now() < endMs) {
    await setTimeout(10)
    turns++
  }

  return turns
}
