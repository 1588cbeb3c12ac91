import type { AttackReport } from './attacker.ts'
import { AttackerProcess } from './attacker-process.ts'
import type { AttackName } from './attacks.ts'
import { type Latencies, latenciesOf, type Stand } from './stand.ts'

export interface Rounds {
  readonly count: number
  readonly eachMs: number
}

/** What an attack does to honest calls. */
export interface Comparison {
  readonly during: Latencies

  /** Beside a process that uses as much of the machine as the attacker does, and attacks nobody. */
  readonly control: Latencies
  readonly report: AttackReport
}

/** How long honest calls go on before they are counted, after the attack has begun or paused. */
const CHANGE_MS = 150

/**
 * Attacks and lets it be, in turns: whatever else the machine does while this takes its time is in both
 * of the figures, and so is what the attacker takes of the machine. What they differ in is the victim's.
 */
export async function compared(
  stand: Stand,
  name: AttackName,
  { count, eachMs }: Rounds
): Promise<Comparison> {
  const starting = [
    AttackerProcess.bystander(),
    AttackerProcess.start(name, stand.victim.multiaddrs)
  ] as const
  await using bystander = await starting[0]
  await using attacker = await starting[1]
  const during: number[] = []
  const control: number[] = []

  for (let round = 0; round < count; round++) {
    attacker.goOn()
    bystander.use(0)
    await stand.work(CHANGE_MS)
    const [sinceMs, sinceUsedMs] = [performance.now(), attacker.usedMs]
    during.push(...(await stand.work(eachMs)))
    const share = (attacker.usedMs - sinceUsedMs) / (performance.now() - sinceMs)

    attacker.pause()
    bystander.use(share)
    await stand.work(CHANGE_MS)
    control.push(...(await stand.work(eachMs)))
  }

  await bystander.stop()
  const report = await attacker.stop()
  return { during: latenciesOf(during), control: latenciesOf(control), report }
}
