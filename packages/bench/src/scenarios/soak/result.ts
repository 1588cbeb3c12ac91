import { goal } from '../../goal.ts'
import type { Chart, Goal, ScenarioResult, Table } from '../../interface.ts'
import { meanOf, significant, total, totalOf } from '../../statistics.ts'
import type { HostState } from './host.ts'
import type { Look, SoakSizes } from './soak.ts'

/** After so long memory is to be level; in a shorter run, after a third of it. */
const SETTLED_AFTER_MS = 300_000

/** By how much the mean of the second half of the rest may exceed that of the first. */
const LEVEL = 1.1

/** Rows of the table. */
const ROWS = 12

export function resultOf(sizes: SoakSizes, looks: readonly Look[], atEnd: Look): ScenarioResult {
  const { hosts, nodes, forMs, everyMs } = sizes
  return {
    notes: [
      `${hosts * nodes} nodes in ${hosts} processes, all of which store, get, delete and store and get many, for ${significant(forMs / 60_000)} minutes, at a steady rate. Every ${everyMs / 1000} s one node is stopped and another started. What is stored expires after a minute, so that as much goes as comes. Memory is heap and buffers of all processes without garbage. Handles are what Node counts as such: sockets, servers, timers; without the processes' pipes.`,
      `At the end all nodes are stopped. Handles that are left then: ${JSON.stringify(handlesByKind(atEnd))}.`
    ],
    tables: [table(looks)],
    charts: [chart(looks)],
    goals: goals(sizes, looks, atEnd)
  }
}

function sum({ hosts }: Look, read: (state: HostState) => number): number {
  return totalOf(hosts, read)
}

function megabytes(look: Look): number {
  return significant(sum(look, ({ usedBytes }) => usedBytes) / 1e6)
}

function handles({ resources }: HostState): number {
  return total(Object.values(resources))
}

function handlesByKind({ hosts }: Look): Record<string, number> {
  const counts: Record<string, number> = {}

  for (const [name, count] of hosts.flatMap(({ resources }) => Object.entries(resources))) {
    counts[name] = (counts[name] ?? 0) + count
  }

  return counts
}

function table(looks: readonly Look[]): Table {
  const step = Math.max(1, Math.ceil(looks.length / ROWS))
  return {
    title: 'As time goes by',
    columns: [
      { title: 'after', unit: 's' },
      { title: 'memory', unit: 'MB' },
      { title: 'handles' },
      { title: 'operations' },
      { title: 'failed' },
      { title: 'nodes replaced' }
    ],
    rows: looks
      .filter((_, i) => i % step === 0 || i === looks.length - 1)
      .map((look) => [
        Math.round(look.afterMs / 1000),
        megabytes(look),
        sum(look, handles),
        sum(look, ({ operations }) => operations),
        sum(look, ({ failures }) => failures),
        sum(look, ({ replaced }) => replaced)
      ])
  }
}

function chart(looks: readonly Look[]): Chart {
  return {
    name: 'soak',
    title: 'Memory of 16 nodes under load while peers come and go',
    kind: 'lines',
    x: { title: 's', values: looks.map(({ afterMs }) => Math.round(afterMs / 1000)) },
    y: { title: 'MB' },
    series: [{ title: 'heap and buffers', values: looks.map(megabytes) }]
  }
}

function goals({ forMs }: SoakSizes, looks: readonly Look[], atEnd: Look): Goal[] {
  const settled = looks.filter(({ afterMs }) => afterMs > Math.min(SETTLED_AFTER_MS, forMs / 3))
  const half = Math.floor(settled.length / 2)
  const growth = meanMegabytes(settled.slice(half)) / meanMegabytes(settled.slice(0, half))
  const left = sum(atEnd, handles)
  const last = looks.at(-1) ?? atEnd

  return [
    goal('memory is level after the first five minutes', {
      value: growth,
      isGood: (factor) => factor <= LEVEL,
      show: (factor) => `the second half of the rest has ${significant(factor)} times the first's`
    }),
    goal('no handle is left when all nodes are stopped', {
      value: left,
      isGood: (count) => count <= 0,
      show: String
    }),
    goal('no rejection is unhandled', {
      value: sum(atEnd, ({ unhandled }) => unhandled),
      isGood: (count) => count === 0,
      show: String
    }),
    goal('no operation fails', {
      value: sum(last, ({ failures }) => failures),
      isGood: (count) => count === 0,
      show: (count) => `${count} of ${sum(last, ({ operations }) => operations) + count}`
    })
  ]
}

function meanMegabytes(looks: readonly Look[]): number {
  return meanOf(looks.map(megabytes))
}
