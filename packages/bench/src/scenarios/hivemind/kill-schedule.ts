import { type Random, sample } from '../../workload/random.ts'

interface Victim {
  kill(): Promise<void>
}

/** Kills one victim at each of as many rounds, drawn at random. */
export class KillSchedule {
  readonly #victims: Victim[]
  readonly #rounds: ReadonlySet<number>
  readonly #killed: Promise<void>[] = []
  #round = 0

  constructor(
    victims: readonly Victim[],
    { rounds, random }: { readonly rounds: number; readonly random: Random }
  ) {
    this.#victims = [...victims]
    this.#rounds = new Set(sample([...Array(rounds).keys()], victims.length, random))
  }

  /** Counts a round of any thread, and kills if it is one of the drawn ones. */
  tick(): void {
    const victim = this.#rounds.has(this.#round++) ? this.#victims.pop() : undefined

    if (victim !== undefined) {
      this.#killed.push(victim.kill())
    }
  }

  /** Resolves with the number of victims when they are gone. */
  async killed(): Promise<number> {
    return (await Promise.all(this.#killed)).length
  }
}
