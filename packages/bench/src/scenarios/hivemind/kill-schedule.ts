import { type Random, sample } from '../../workload/random.ts'

/** Who is killed when: one victim at each of as many rounds drawn from all. */
export class KillSchedule {
  readonly #victims: { kill(): Promise<void> }[]
  readonly #rounds: ReadonlySet<number>
  readonly #killed: Promise<void>[] = []
  #round = 0

  constructor(
    victims: readonly { kill(): Promise<void> }[],
    { rounds, random }: { rounds: number; random: Random }
  ) {
    this.#victims = [...victims]
    this.#rounds = new Set(sample([...Array(rounds).keys()], victims.length, random))
  }

  /** Counts a round of any thread, and kills if it is one of those drawn. */
  tick(): void {
    const victim = this.#rounds.has(this.#round++) ? this.#victims.pop() : undefined

    if (victim !== undefined) {
      this.#killed.push(victim.kill())
    }
  }

  /** Resolves with how many are gone. */
  async killed(): Promise<number> {
    return (await Promise.all(this.#killed)).length
  }
}
