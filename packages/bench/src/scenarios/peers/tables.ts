import { type Columns, megabytes, tableOf } from '../../result/build.ts'
import type { Chart, Table } from '../../result/result.ts'
import type { Latency } from '../../workload/drive.ts'
import { total } from '../../workload/statistics.ts'
import type { Figures } from './figures.ts'
import type { Plan } from './measure.ts'

/** Everything that was measured. */
export interface Outcome {
  readonly plan: Plan

  /** Bare streams: libp2p's own, and those with Waggle's layers. */
  readonly floors: readonly Figures[]
  readonly systems: readonly Figures[]

  /** Waggle's gets after nodes vanished, where they were measured. */
  readonly vanished: Latency | undefined
}

const KILLED = 'their process was killed'

/** Tables of the loads, and then those of the nodes. */
export function tables(outcome: Outcome): Table[] {
  return [...loads(outcome), ...nodes(outcome)]
}

function loads({ plan: { oneByOne, depth, burst }, floors, systems }: Outcome): Table[] {
  const rows = [...floors, ...systems]
  const bulk = systems.flatMap(({ title, bulk = [] }) => bulk.map((each) => ({ title, ...each })))

  return [
    tableOf(
      `${oneByOne} operations of each kind, one by one`,
      rows,
      {
        ...{ system: 'title', ...times('store'), ...times('get') },
        ...{ ...times('latest', 'get latest'), ...times('miss'), failed: failures }
      },
      bars('one-by-one', 'One by one: p50', 'y', [
        'store p50 (ms)',
        'get p50 (ms)',
        'get latest p50 (ms)',
        'miss p50 (ms)'
      ])
    ),
    tableOf(
      `${burst} operations of each kind, ${depth} in flight`,
      rows,
      { system: 'title', ...rates('store', 'stores'), ...rates('get', 'gets') },
      bars('in-flight', `${depth} in flight: operations per second`, 'y', [
        'stores (1/s)',
        'gets (1/s)'
      ])
    ),
    tableOf('Bulk calls', bulk, {
      ...{ system: 'title', by: 'by', keys: 'keys', 'rate (keys/s)': 'rate', failed: 'failed' },
      'growth of the client (MB)': ({ growthBytes }) => megabytes(growthBytes)
    })
  ]
}

function nodes({ plan, systems, vanished }: Outcome): Table[] {
  const { nodesOfProcesses, afterFailure } = plan
  const next = `the next ${afterFailure} gets`
  const killed = systems.map(({ title, crash }) => ({ title, how: KILLED, ...crash }))
  const how = 'their host vanished: packets to it are lost'

  return [
    tableOf(
      `Memory of the ${nodesOfProcesses.length} processes with servers, and CPU time for one operation`,
      systems,
      {
        system: 'title',
        'memory at first (MB)': ({ startBytes }) => startBytes && megabytes(startBytes),
        'after the load (MB)': ({ loadedBytes }) => loadedBytes && megabytes(loadedBytes),
        'store: client (ms)': ({ storeCPU }) => storeCPU?.clientCPUMs,
        'store: servers (ms)': ({ storeCPU }) => storeCPU?.serversCPUMs,
        'get: client (ms)': ({ getCPU }) => getCPU?.clientCPUMs,
        'get: servers (ms)': ({ getCPU }) => getCPU?.serversCPUMs
      },
      bars('memory', 'Memory of all servers', undefined, [
        'memory at first (MB)',
        'after the load (MB)'
      ])
    ),
    tableOf(
      `${goneOf(plan)} nodes gone: ${next}`,
      vanished ? [...killed, { title: 'Waggle', how, ...vanished }] : killed,
      { system: 'title', how: 'how', 'p50 (ms)': 'p50Ms', 'p95 (ms)': 'p95Ms', failed: 'failed' },
      {
        ...bars('crash', `Nodes killed: ${next}`, 'y', ['p50 (ms)', 'p95 (ms)']),
        only: { how: KILLED }
      }
    )
  ]
}

/** Describes how many nodes of how many go. */
export function goneOf({ nodesOfProcesses }: Plan): string {
  return `${nodesOfProcesses.at(-1)} of ${total(nodesOfProcesses)}`
}

function times(
  which: 'store' | 'get' | 'latest' | 'miss',
  title: string = which
): Columns<Figures> {
  return {
    [`${title} p50 (ms)`]: (row) => row[which]?.p50Ms,
    [`${title} p95 (ms)`]: (row) => row[which]?.p95Ms
  }
}

/** Counts failures of single operations; bare streams have none. */
function failures({ name, store, get, latest, miss }: Figures): number | undefined {
  const all = [store, get, latest, miss].map((latency) => latency?.failed ?? 0)
  return name === undefined ? undefined : total(all)
}

function rates(title: string, which: 'stores' | 'gets'): Columns<Figures> {
  return {
    [`${which} (1/s)`]: (row) => row[which]?.rate,
    [`${title} p95 (ms)`]: (row) => row[which]?.p95Ms,
    [`failed ${which} (%)`]: ({ [which]: latency }) =>
      latency && (100 * latency.failed) / latency.count
  }
}

function bars(name: string, title: string, logarithmic: 'y' | undefined, y: string[]): Chart {
  return { name, title, kind: 'bars', x: ['system'], y, ...(logarithmic && { logarithmic }) }
}
