import { type Columns, megabytes, tableOf } from '../../result/build.ts'
import type { Table } from '../../result/result.ts'
import type { Latency } from '../../workload/drive.ts'
import { total } from '../../workload/statistics.ts'
import type { Figures } from './figures.ts'
import type { Plan } from './measure.ts'

/** Everything that was measured. */
export interface Outcome {
  readonly plan: Plan

  readonly bare: Figures
  readonly systems: readonly Figures[]

  /** Waggle's gets after nodes vanished, where they were measured. */
  readonly vanished: Latency | undefined
}

export function tables({ plan, bare, systems, vanished }: Outcome): Table[] {
  const rows = [bare, ...systems]
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

/** Describes how many nodes of how many go. */
export function goneOf({ nodesOfProcesses }: Plan): string {
  return `${nodesOfProcesses.at(-1)} of ${total(nodesOfProcesses)}`
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
