import { measureFloor } from '../floor/measure-floor.ts'
import { atMost, goal, ms, none, tableOf } from '../result/build.ts'
import type { RunOptions, Scenario, ScenarioResult } from '../result/result.ts'
import { type Contestant, WAGGLE } from '../systems/contestants.ts'
import { Network } from '../systems/network.ts'
import { takeTurns, titleOf } from '../systems/turns.ts'
import { latencyOf, type Measured } from '../workload/drive.ts'
import { KeyNumbers, VALUE_BYTES } from '../workload/records.ts'
import { total } from '../workload/statistics.ts'

/** Measures how fast a change reaches watchers, next to another system that notifies of changes. */
export const watch: Scenario = {
  name: 'watch',
  title: 'Time from a store until a watcher of the key has the value, on 20 nodes.',
  run
}

const PLANS = {
  full: { rounds: 3, nodesOfProcesses: [5, 5, 5, 5], keys: 200, warmUp: 5, requests: 2_000 },
  quick: { rounds: 1, nodesOfProcesses: [3, 2], keys: 3, warmUp: 1, requests: 10 }
}

type Plan = typeof PLANS.full

/** Milliseconds from the call of store to the delivery. */
const MAX_DELIVERY_MS = 0.3

async function run(options: RunOptions): Promise<ScenarioResult> {
  const plan = PLANS[options.effort]
  const isTaken = ({ hasWatch }: Contestant) => hasWatch === true
  const bare: Measured[][] = []
  const { rounds, troubles } = await takeTurns(
    plan.rounds,
    { ...options, isTaken },
    async (each) => {
      bare.push(...(each === WAGGLE ? [await measureBare(plan, options)] : []))
      return measureWatch(each, plan, options.signal)
    }
  )

  const rows = [
    ...['one peer', 'five peers'].map((to, i) => {
      const title = `libp2p's own streams: a request to ${to}`
      return { title, ...latencyOf(bare.flatMap((round) => round[i] ?? [])) }
    }),
    ...Array.from(rounds, ([contestant, measured]) => {
      return { title: titleOf(contestant, measured.length > 0), ...latencyOf(measured) }
    })
  ]
  const waggle = latencyOf(rounds.get(WAGGLE) ?? [])
  const what = 'from store to delivery'

  return {
    notes: [...notes(plan), ...troubles],
    tables: [
      tableOf('From the call of store until a watcher has the value', rows, {
        ...{ by: 'title', 'p50 (ms)': 'p50Ms', 'p95 (ms)': 'p95Ms', failed: 'failed' }
      })
    ],
    goals: [
      goal(
        `${what}: p50 at most ${ms(MAX_DELIVERY_MS)}`,
        waggle?.p50Ms,
        atMost(MAX_DELIVERY_MS),
        ms
      ),
      none(`${what}: none fails`, waggle?.failed, waggle?.count)
    ]
  }
}

/** Measures a request to one peer, and one to five peers at once. */
function measureBare({ requests: count }: Plan, options: RunOptions): Promise<Measured[]> {
  const operations = ['stream', 'fan-out'] as const
  const loads = operations.map((operation) => ({ operation, count, inFlight: 1 }))
  return measureFloor(options, loads)
}

async function measureWatch(
  contestant: Contestant,
  { nodesOfProcesses, keys, warmUp }: Plan,
  signal: AbortSignal
): Promise<Measured> {
  await using network = await Network.start({ contestant, nodesOfProcesses, signal })

  return await network.client.call('watch', {
    keys: new KeyNumbers().take(keys),
    // At least one change, so that every replica is known to have the watcher's subscription.
    warmUp: contestant.isBestFresh ? 1 : warmUp
  })
}

function notes({ rounds, nodesOfProcesses, keys, warmUp }: Plan): string[] {
  return [
    `${total(nodesOfProcesses)} servers run in ${nodesOfProcesses.length} processes on loopback. Another process has two clients: one watches ${keys} keys, and one stores values of ${VALUE_BYTES} bytes, one by one. ` +
      'Time runs from the call of store to the callback of the watcher; it does not include the rest of the store. Neither client holds values for others.',
    `Each key changes ${warmUp} times before it is measured (with OpenDHT once, as it is fastest when fresh), so that all replicas know the watcher. Figures are medians over ${rounds} rounds; failures are counted over all of them. A delivery has failed after 5 s.`,
    'Waggle sends a value to 5 replicas, and OpenDHT to 8; all of them notify the watcher. Bare streams are the lower bound: a request to five peers at once and a request to one peer, each with its reply.'
  ]
}
