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

export function tables({ plan, floors, systems, vanished }: Outcome): Table[] {
  const { oneByOne, depth, burst, nodesOfProcesses, afterFailure } = plan
  const rows = [...floors, ...systems]
  const system = { system: 'title' } as const
  const gone = systems.map((row) => ({ ...row, how: 'their process was killed' }))
  const lost = {
    title: 'Waggle',
    how: 'their host vanished: packets to it are lost',
    ...(vanished && { crash: vanished })
  }
  const bulk = systems.flatMap((row) => (row.bulk ?? []).map((each) => ({ ...row, ...each })))

  return [
    tableOf(
      `${oneByOne} operations of each kind, one by one`,
      rows,
      {
        ...system,
        ...times('store'),
        ...times('get'),
        ...times('latest', 'get latest'),
        ...times('miss'),
        failed: ({ name, store, get, latest, miss }) =>
          name && total([store, get, latest, miss].map((latency) => latency?.failed ?? 0))
      } as Columns<Figures>,
      bars(
        'one-by-one',
        'One by one: p50',
        'store p50 (ms)',
        'get p50 (ms)',
        'get latest p50 (ms)',
        'miss p50 (ms)'
      )
    ),
    tableOf(
      `${burst} operations of each kind, ${depth} in flight`,
      rows,
      { ...system, ...rates('store', 'stores'), ...rates('get', 'gets') },
      bars('in-flight', `${depth} in flight: operations per second`, 'stores (1/s)', 'gets (1/s)')
    ),
    tableOf('Bulk calls', bulk, {
      ...system,
      by: 'by',
      keys: 'keys',
      'rate (keys/s)': 'rate',
      failed: 'failed',
      'growth of the client (MB)': ({ growthBytes }) => megabytes(growthBytes)
    }),
    tableOf(
      `Memory of the ${nodesOfProcesses.length} processes with servers, and CPU time for one operation`,
      systems,
      {
        ...system,
        'memory at first (MB)': ({ startBytes }) => startBytes && megabytes(startBytes),
        'after the load (MB)': ({ loadedBytes }) => loadedBytes && megabytes(loadedBytes),
        'store: client (ms)': ({ storeCPU }) => storeCPU?.clientCPUMs,
        'store: servers (ms)': ({ storeCPU }) => storeCPU?.serversCPUMs,
        'get: client (ms)': ({ getCPU }) => getCPU?.clientCPUMs,
        'get: servers (ms)': ({ getCPU }) => getCPU?.serversCPUMs
      },
      {
        ...bars('memory', 'Memory of all servers', 'memory at first (MB)', 'after the load (MB)'),
        logarithmic: 'x'
      }
    ),
    tableOf<Figures & { how: string }>(
      `${goneOf(plan)} nodes gone: the next ${afterFailure} gets`,
      vanished ? [...gone, lost] : gone,
      {
        ...system,
        how: 'how',
        'p50 (ms)': ({ crash }) => crash?.p50Ms,
        'p95 (ms)': ({ crash }) => crash?.p95Ms,
        failed: ({ crash }) => crash?.failed
      },
      {
        ...bars('crash', `Nodes killed: the next ${afterFailure} gets`, 'p50 (ms)', 'p95 (ms)'),
        only: { how: 'their process was killed' }
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

function rates(title: string, which: 'stores' | 'gets'): Columns<Figures> {
  return {
    [`${which} (1/s)`]: (row) => row[which]?.rate,
    [`${title} p95 (ms)`]: (row) => row[which]?.p95Ms,
    [`failed ${which} (%)`]: ({ [which]: latency }) =>
      latency && (100 * latency.failed) / latency.count
  }
}

function bars(name: string, title: string, ...y: readonly string[]): Chart {
  return { name, title, kind: 'bars', x: ['system'], y, logarithmic: 'y' }
}
