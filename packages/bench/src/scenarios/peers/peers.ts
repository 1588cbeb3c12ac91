import { type Columns, megabytes, tableOf } from '../../result/build.ts'
import type { RunOptions, Scenario, ScenarioResult, Table } from '../../result/result.ts'
import { WAGGLE } from '../../systems/contestants.ts'
import { takeTurns } from '../../systems/turns.ts'
import { latencyOf, type Measured } from '../../workload/drive.ts'
import { VALUE_BYTES } from '../../workload/records.ts'
import { total } from '../../workload/statistics.ts'
import { bareFigures, type Figures, figuresOf, goneOf, type Outcome } from './figures.ts'
import { goals } from './goals.ts'
import {
  type BareRound,
  measureBare,
  measureSystem,
  measureVanishing,
  PLANS,
  type Plan
} from './measure.ts'

/** Waggle and other systems, side by side. */
export const peers: Scenario = {
  name: 'peers',
  title: 'Waggle next to other systems on 20 nodes: single operations, many in flight, and bulk.',
  run
}

async function run(options: RunOptions): Promise<ScenarioResult> {
  const plan = PLANS[options.effort]
  const [bare, layered]: [BareRound[], BareRound[]] = [[], []]
  const vanished: Measured[] = []

  const { rounds, troubles } = await takeTurns(plan.rounds, options, async (contestant) => {
    if (contestant !== WAGGLE) {
      return measureSystem(contestant, plan, options.signal)
    }

    // Waggle is compared with bare streams, which are therefore measured before and after it.
    bare.push(await measureBare('stock', plan, options))
    layered.push(await measureBare('layered', plan, options))
    const round = await measureSystem(contestant, plan, options.signal)
    bare.push(await measureBare('stock', plan, options))
    layered.push(await measureBare('layered', plan, options))
    vanished.push(...(await measureVanishing(plan, options.signal)))
    return round
  })

  const outcome = {
    plan,
    bare: bareFigures("libp2p's own streams", bare),
    layered: bareFigures("streams with Waggle's layers", layered),
    systems: Array.from(rounds, ([contestant, all]) => figuresOf(contestant, all)),
    vanished: latencyOf(vanished)
  }

  return { notes: [...notes(plan), ...troubles], tables: tables(outcome), goals: goals(outcome) }
}

function notes(plan: Plan): string[] {
  const { nodesOfProcesses, warmUp, warmUpFresh, depth, rounds, burst, maxBursts } = plan

  return [
    `${total(nodesOfProcesses)} servers run in ${nodesOfProcesses.length} processes on loopback, with values of ${VALUE_BYTES} bytes. All operations come from another process with two clients: ` +
      'one stores, and one, which has never seen the keys, gets them. Neither holds values for others, so every reply comes over the network.',
    `In every round each system has its turn: it starts, settles, rests until its servers take at most 5 % of a core (for at most 30 s), is warmed up (at most ${warmUp} operations of each kind, one by one and again ${depth} in flight, for at most ${plan.warmUpLimitMs / 1000} s each), is measured, and stops. ` +
      `Figures are medians over ${rounds} rounds; failures are counted over all of them. Bare streams are measured before and after each of Waggle's turns: a request to one peer beside get, and a request to 5 peers at once beside store. In flight, bare requests are coalesced.`,
    "Waggle's misses are measured half a minute after the last node has joined. Before that, no server says for all that nothing is there, and a miss asks all 20.",
    `An operation has failed if it rejects or returns anything but the stored value; keys whose store failed are not read. In flight, a burst is ${burst} operations; ` +
      `fast systems run up to ${maxBursts} bursts a turn, and the median counts. Waggle stores to 5 peers, OpenDHT to 8, HyperDHT to 20, kad-dht to as many as its bucket size.`,
    'OpenDHT runs without its rate limits. Its node becomes slower with every key that it has asked for, and it is compiled ahead of time, so it is measured fresh: ' +
      `after ${warmUpFresh} operations, and with a single burst. It has no client mode: keys for which one of our own nodes would be a replica are left out. It is driven from Python, by callbacks.`,
    'kad-dht accepts any value here, which costs less than a validator. Its only get asks all of its nearest peers. ' +
      "HyperDHT's key pairs and hashes are made before the time is taken.",
    'Where nodes vanish, they are in a network namespace whose only link is cut: packets are lost, and nothing is reset or acknowledged.',
    'Profiles [explain the goals that are missed](architecture.md#where-goals-are-missed).'
  ]
}

function tables({ plan, bare, layered, systems, vanished }: Outcome): Table[] {
  const rows = [bare, layered, ...systems]
  const bulk = systems.flatMap(({ title, bulk = [] }) => bulk.map((each) => ({ title, ...each })))
  const killed = systems.map(({ title, crash }) => {
    return { title, how: 'their process was killed', ...crash }
  })
  const how = 'their host vanished: packets to it are lost'
  const processes = `the ${plan.nodesOfProcesses.length} processes with servers`

  return [
    tableOf(`${plan.oneByOne} operations of each kind, one by one`, rows, {
      ...{ system: 'title', ...times('store'), ...times('get') },
      ...{ ...times('latest', 'get latest'), ...times('miss'), failed: failures }
    }),
    tableOf(`${plan.burst} operations of each kind, ${plan.depth} in flight`, rows, {
      ...{ system: 'title', ...rates('store', 'stores'), ...rates('get', 'gets') }
    }),
    tableOf('Bulk calls', bulk, {
      ...{ system: 'title', by: 'by', keys: 'keys', 'rate (keys/s)': 'rate', failed: 'failed' }
    }),
    tableOf(`Memory of ${processes}, and CPU time for one operation`, systems, {
      system: 'title',
      'memory at first (MB)': ({ costs }) => costs && megabytes(costs.startBytes),
      'after the load (MB)': ({ costs }) => costs && megabytes(costs.loadedBytes),
      'store: client (ms)': ({ costs }) => costs?.storeClient,
      'store: servers (ms)': ({ costs }) => costs?.storeServers,
      'get: client (ms)': ({ costs }) => costs?.getClient,
      'get: servers (ms)': ({ costs }) => costs?.getServers
    }),
    tableOf(
      `${goneOf(plan)} nodes gone: the next ${plan.afterFailure} gets`,
      vanished ? [...killed, { title: 'Waggle', how, ...vanished }] : killed,
      { system: 'title', how: 'how', 'p50 (ms)': 'p50Ms', 'p95 (ms)': 'p95Ms', failed: 'failed' }
    )
  ]
}

type Single = 'store' | 'get' | 'latest' | 'miss'

function times(which: Single, title: string = which): Columns<Figures> {
  return {
    [`${title} p50 (ms)`]: (row) => row[which]?.p50Ms,
    [`${title} p95 (ms)`]: (row) => row[which]?.p95Ms
  }
}

/** Counts failures of single operations; bare streams have none. */
function failures({ costs, store, get, latest, miss }: Figures): number | undefined {
  return costs && total([store, get, latest, miss].map((latency) => latency?.failed ?? 0))
}

function rates(title: string, which: 'stores' | 'gets'): Columns<Figures> {
  return {
    [`${which} (1/s)`]: (row) => row[which]?.rate,
    [`${title} p95 (ms)`]: (row) => row[which]?.p95Ms,
    [`failed ${which} (%)`]: ({ [which]: latency }) =>
      latency && (100 * latency.failed) / latency.count
  }
}
