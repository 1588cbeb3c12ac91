import type { AttackReport } from './attacker.ts'
import { AttackerProcess } from './attacker-process.ts'
import type { AttackName } from './attacks.ts'
import { type Latencies, latenciesOf, type Stand } from './stand.ts'

export interface Rounds {
  readonly count: number
  readonly eachMs: number
}

/** The effect of an attack on honest calls. */
export interface Comparison {
  readonly during: Latencies

  /**
   * Latencies beside a process that uses as much of the machine as the attacker, and attacks no peer.
   */
  readonly control: Latencies
  readonly report: AttackReport
}

/** Milliseconds of honest calls that are not counted, after the attack has begun or paused. */
const CHANGE_MS = 150

/**
 * Alternates between attack and control, so that both figures contain the machine's other work, and the attacker's.
 * Their difference is the victim's work.
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
