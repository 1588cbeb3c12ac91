import { type Random, sample } from '../../workload/random.ts'

interface Victim {
  kill(): Promise<void>
}

/** Returns a function that counts a round, and kills the next victim if the round is one of those drawn. */
export function killSchedule(
  victims: readonly Victim[],
  rounds: number,
  random: Random
): () => Promise<void> {
  const left = [...victims]
  const drawn = new Set(sample([...Array(rounds).keys()], victims.length, random))
  let round = 0

  return async () => {
    await (drawn.has(round++) && left.pop()?.kill())
  }
}
