import type { RunOptions } from '../result/result.ts'
import { type Contestant, isInstalled, OTHERS, WAGGLE } from './contestants.ts'

/** Results of a comparison: those of each round by system, and its failures, one sentence each. */
export interface Turns<T> {
  readonly rounds: ReadonlyMap<Contestant, readonly T[]>
  readonly troubles: readonly string[]
}

/**
 * Runs each system once in every round, so that other load on the machine affects all of them. Records a system
 * that does not finish a turn; Waggle must finish all of its own.
 */
export async function takeTurns<T>(
  count: number,
  { isTaken = () => true, signal, systems, log }: RunOptions & { isTaken?: Filter },
  measure: (contestant: Contestant) => Promise<T>
): Promise<Turns<T>> {
  const others = OTHERS.filter((each) => isTaken(each) && (systems?.includes(each.name) ?? true))
  const rounds = new Map<Contestant, T[]>([WAGGLE, ...others].map((each) => [each, []]))
  const troubles: string[] = []

  for (let round = 1; round <= count; round++) {
    for (const [contestant, results] of [...rounds].filter(([each]) => isInstalled(each))) {
      log(`round ${round} of ${count}: ${contestant.title}`)

      try {
        results.push(await measure(contestant))
      } catch (error) {
        if (signal.aborted || contestant === WAGGLE) {
          throw error
        }

        troubles.push(`${contestant.title} did not finish a turn: ${String(error).split('\n')[0]}`)
      }
    }
  }

  return { rounds, troubles }
}

type Filter = (contestant: Contestant) => boolean

/** Returns the title of a system's row, with the reason if it has no figures. */
export function titleOf(contestant: Contestant, hasFigures: boolean): string {
  const reason = isInstalled(contestant) ? 'did not finish' : 'not installed'
  return hasFigures ? contestant.title : `${contestant.title}: ${reason}`
}
