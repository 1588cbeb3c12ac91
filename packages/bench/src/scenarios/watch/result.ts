import type { Layers } from '../../floor/bare-node.ts'
import { goal } from '../../goal.ts'
import type { Chart, Goal, ScenarioResult, Table } from '../../interface.ts'
import { figure } from '../../report/figure.ts'
import { medianOf, percentile, total, totalOf } from '../../statistics.ts'
import { type Contestant, isInstalled, WAGGLE } from '../../systems/contestants.ts'
import type { Measured } from '../../workload/drive.ts'
import { VALUE_BYTES } from '../../workload/records.ts'
import type { FloorRound } from './measure-watch.ts'
import type { Plan } from './plan.ts'

/** All that was measured. */
export interface Outcome {
  readonly plan: Plan
  readonly floors: Readonly<Record<Layers, FloorRound[]>>
  readonly systems: ReadonlyMap<Contestant, Measured[]>

  /** What went wrong meanwhile, a sentence each. */
  readonly troubles: string[]
}

interface Latency {
  readonly p50Ms: number
  readonly p95Ms: number
  readonly failed: number
  readonly count: number
}

/** From the beginning of a store until the watcher has the value. OpenDHT's own figure is about 1 ms. */
const MAX_DELIVERY_MS = 1.5

/** Tables, charts and goals of what was measured. */
export function resultOf(outcome: Outcome): ScenarioResult {
  return {
    notes: notes(outcome),
    tables: [table(outcome)],
    charts: [chart(outcome)],
    goals: goals(outcome)
  }
}

function table(outcome: Outcome): Table {
  return {
    title: 'From the beginning of a store until one who watches has the value',
    columns: [
      { title: 'by' },
      { title: 'p50', unit: 'ms' },
      { title: 'p95', unit: 'ms' },
      { title: 'failed' }
    ],
    rows: rowsOf(outcome).map(({ title, latency }) =>
      latency === undefined
        ? [title, null, null, null]
        : [title, latency.p50Ms, latency.p95Ms, latency.failed]
    )
  }
}

function chart(outcome: Outcome): Chart {
  const rows = rowsOf(outcome).filter(({ latency }) => latency !== undefined)

  return {
    name: 'delivery',
    title: 'From a store to one who watches',
    kind: 'bars',
    x: { title: 'by', values: rows.map(({ title }) => title) },
    y: { title: 'ms' },
    series: [
      { title: 'p50', values: rows.map(({ latency }) => latency?.p50Ms ?? null) },
      { title: 'p95', values: rows.map(({ latency }) => latency?.p95Ms ?? null) }
    ]
  }
}

function goals({ systems }: Outcome): Goal[] {
  const own = latencyOf(systems.get(WAGGLE) ?? [])

  return [
    goal(`from store to delivery: p50 at most ${MAX_DELIVERY_MS} ms`, {
      value: own?.p50Ms,
      isGood: (value) => value <= MAX_DELIVERY_MS,
      show: (value) => `${figure(value)} ms`
    }),
    goal('from store to delivery: none fails', {
      value: own?.failed,
      isGood: (value) => value === 0,
      show: (value) => `${value} of ${figure(own?.count ?? 0)} failed`
    })
  ]
}

function notes({ plan, troubles }: Outcome): string[] {
  const nodes = total(plan.nodesOfProcesses)

  return [
    `${nodes} servers in ${plan.nodesOfProcesses.length} processes on loopback. One process more has two clients: one watches ${plan.keys} keys, and one stores values of ${VALUE_BYTES} bytes, one by one. ` +
      'Time runs from the call of store to the callback of the watcher; it does not wait for the store to end. Neither client holds values for others.',
    `Each key is changed ${plan.warmUp} times before it is measured (OpenDHT: once, it is best when fresh), so that all who are to tell of it are known to do so. Figures are medians over ${plan.rounds} rounds, failures are counted over all of them; a delivery has failed after 5 s.`,
    'Waggle sends a value to 5 replicas, which all tell of it; OpenDHT to 8. Bare streams are the floor: a request to five peers at once, and one to one peer, each with its answer.',
    ...troubles
  ]
}

interface Row {
  readonly title: string
  readonly latency: Latency | undefined
}

function rowsOf({ floors, systems }: Outcome): Row[] {
  return [
    ...bareRows("libp2p's own streams", floors.stock),
    ...bareRows('streams with the layers of Waggle', floors.layered),
    ...[...systems].map(([contestant, rounds]) => ({
      title: rounds.length > 0 ? contestant.title : `${contestant.title}: ${absence(contestant)}`,
      latency: latencyOf(rounds)
    }))
  ]
}

function bareRows(streams: string, floors: readonly FloorRound[]): Row[] {
  return [
    {
      title: `${streams}: a request to one peer`,
      latency: latencyOf(floors.map(({ roundTrip }) => roundTrip))
    },
    {
      title: `${streams}: a request to five peers`,
      latency: latencyOf(floors.map(({ fanOut }) => fanOut))
    }
  ]
}

function absence(contestant: Contestant): string {
  return isInstalled(contestant) ? 'did not finish' : 'not installed'
}

/** Medians over the rounds, failures of all of them. */
function latencyOf(rounds: readonly Measured[]): Latency | undefined {
  if (rounds.length === 0) {
    return undefined
  }

  return {
    p50Ms: medianOf(rounds, ({ latenciesMs }) => percentile(latenciesMs, 0.5)),
    p95Ms: medianOf(rounds, ({ latenciesMs }) => percentile(latenciesMs, 0.95)),
    failed: totalOf(rounds, ({ failed }) => failed.length),
    count: totalOf(rounds, ({ latenciesMs }) => latenciesMs.length)
  }
}
