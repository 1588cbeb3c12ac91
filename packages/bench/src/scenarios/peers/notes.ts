import { VALUE_BYTES } from '../../workload/records.ts'
import type { Summary } from './summary.ts'

/** How it was measured. */
export function notes({ plan }: Summary): string[] {
  const processes = plan.nodesOfProcesses.length
  const nodes = plan.nodesOfProcesses.reduce((sum, each) => sum + each, 0)

  return [
    `${nodes} servers in ${processes} processes on loopback, values of ${VALUE_BYTES} bytes. All operations come from one process more, with two clients: ` +
      'one stores, and one, which has never seen the keys, gets them; neither holds values for others. So every answer comes over the network.',
    `Every round gives each system its turn: it starts, settles, is warmed up (up to ${plan.warmUp} operations of each kind, one by one and again ${plan.depth} in flight, for at most ${plan.warmUpLimitMs / 1000} s each), is measured, and stops. ` +
      `Figures are medians over ${plan.rounds} rounds; failures are counted over all of them. The bare streams are measured before and after each of Waggle's turns.`,
    `In flight, a burst is ${plan.burst} operations; fast systems do up to ${plan.maxBursts} bursts a turn, of which the median counts. A get whose store failed is not asked for. ` +
      'An operation has failed if it rejects, or answers anything but what was stored.'
  ]
}
