import { total } from '../../statistics.ts'
import { VALUE_BYTES } from '../../workload/records.ts'
import type { Summary } from './summary.ts'

/** How it was measured, and what to keep in mind. */
export function notes({ plan, vanished, troubles }: Summary): string[] {
  const processes = plan.nodesOfProcesses.length
  const nodes = total(plan.nodesOfProcesses)

  return [
    `${nodes} servers in ${processes} processes on loopback, values of ${VALUE_BYTES} bytes. All operations come from one process more, with two clients: ` +
      'one stores, and one, which has never seen the keys, gets them; neither holds values for others. So every answer comes over the network.',
    `Every round gives each system its turn: it starts, settles, is warmed up (at most ${plan.warmUp} operations of each kind, one by one and again ${plan.depth} in flight, for at most ${plan.warmUpLimitMs / 1000} s each), is measured, and stops. ` +
      `Figures are medians over ${plan.rounds} rounds, failures are counted over all of them. Bare streams are measured before and after each of Waggle's turns, twice: with libp2p as it comes, which is what the goals are about, and with the two thin layers that \`DHT.create\` puts around noise and yamux, which make a bare request to several peers faster, too.`,
    `An operation has failed if it rejects or answers anything but what was stored; what its store failed for is not asked for. In flight, a burst is ${plan.burst} operations; ` +
      `fast systems do up to ${plan.maxBursts} bursts a turn, of which the median counts. Waggle stores to 5 peers, OpenDHT to 8, HyperDHT to 20, kad-dht to as many as its bucket size.`,
    'OpenDHT has its rate limits off. Its node gets slower with every key that it has asked for, and it is compiled before it starts, so it is measured fresh: ' +
      `${plan.warmUpFresh} operations before, and a single burst. It knows no clients: keys for which one of our own nodes would be a replica are left out. It is driven from Python, by callbacks.`,
    'kad-dht takes any value here, which is less than a validator costs. Its one get asks all of its nearest peers and is the `get`; where a system has no bulk operations, its rate in flight stands under “Many keys”. ' +
      "HyperDHT's key pairs and hashes are made before the time is taken.",
    vanished.how === 'dropped'
      ? 'Where nodes vanish, they are in a network namespace of their own whose only link is cut: nothing is reset or acknowledged, packets are lost.'
      : 'Where nodes vanish, their process is stopped (SIGSTOP): it answers no more, but the kernel still acknowledges what it is sent. To lose packets takes root and network namespaces.',
    ...troubles
  ]
}
