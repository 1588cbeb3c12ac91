import type { Chart, Column, ScenarioResult, Table } from '../../interface.ts'
import { meanOf, significant, summaryOf } from '../../statistics.ts'
import { goalsOf } from './goals.ts'
import type { RealFigures } from './real/measure-real.ts'
import type { SimulatedFigures, SimulatedOperation } from './simulated/measure-simulated.ts'

export function resultOf(
  real: readonly RealFigures[],
  simulated: readonly SimulatedFigures[]
): ScenarioResult {
  return {
    notes: NOTES,
    tables: [
      operationTable(real),
      nodeTable(real),
      simulatedTable(simulated),
      placementTable(simulated)
    ],
    charts: [messagesChart(real, simulated)],
    goals: goalsOf(real, simulated)
  }
}

const NOTES: readonly string[] = [
  'Real: whole nodes in one process, connected in memory, without encryption, with yamux. Operations run one after the other, from clients that have connections already, with values of 100 bytes. Messages are questions and answers of the exchange; bytes are theirs, frames included. Hops are the questions that had to wait for the answer to another one, in a row. CPU is that of all nodes together, less what they take while nobody asks them for anything, in which it may be lost. libp2p pings every connection at intervals, which is nearly all that an idle node does; these pings are switched off where operations are measured, and on where idling is.',
  'Simulated: the same code for searching and storing, without libp2p, against nodes whose routing tables are full. Tables named kademlia have a bucket of 20 for each length of common prefix; those named kad-dht are as js-libp2p has them, a bucket of 20 for each prefix of six bits, with the 20 nearest. Some dead: a fifth of the nodes is gone, but still in the tables of others; asking one of them costs one message and one hop. Each operation has a client of its own that knows what one node knows. What has to wait for nobody is free: CPU and bytes are not simulated. Searching and storing being one, a store leaves copies along its way.'
]

function operationTable(real: readonly RealFigures[]): Table {
  return {
    title: 'An operation, measured with real nodes',
    columns: [
      { title: 'nodes' },
      { title: 'operation' },
      { title: 'messages' },
      { title: 'bytes', unit: 'B' },
      { title: 'mean hops' },
      { title: 'most hops' },
      { title: 'CPU', unit: 'ms' },
      { title: 'connections' },
      { title: 'right' }
    ],
    rows: real.flatMap(({ nodes, clientConnections, operations }) =>
      operations.map(({ operation, messages, bytes, hops, cpuMs, right, count }) => [
        nodes,
        operation,
        significant(messages),
        significant(bytes),
        significant(meanOf(hops)),
        summaryOf(hops).max,
        cpuMs > 0 ? significant(cpuMs) : null,
        significant(clientConnections),
        `${right} of ${count}`
      ])
    )
  }
}

function nodeTable(real: readonly RealFigures[]): Table {
  return {
    title: 'A node, measured with real nodes',
    columns: [
      { title: 'nodes' },
      { title: 'connections' },
      { title: 'idle CPU', unit: '% of a core' },
      { title: 'memory in use', unit: 'MB' },
      { title: 'memory of the process', unit: 'MB' },
      { title: 'time to join', unit: 'ms' }
    ],
    rows: real.map(({ nodes, build, idle, connections }) => [
      nodes,
      significant(connections),
      idle === undefined ? null : significant((100 * idle.share) / nodes),
      significant(build.usedBytes / 1e6),
      significant(build.residentBytes / 1e6),
      significant(build.tookMs / nodes)
    ])
  }
}

/** Each with nobody dead, and beside it with some. */
function simulatedTable(simulated: readonly SimulatedFigures[]): Table {
  return {
    title: 'An operation, simulated',
    columns: [
      { title: 'nodes' },
      { title: 'tables' },
      { title: 'operation' },
      ...costColumns('all alive'),
      ...costColumns('some dead')
    ],
    rows: pairs(simulated).flatMap(({ healthy, beside }) =>
      (['get', 'store'] as const).map((operation) => [
        healthy.size,
        healthy.shape,
        operation,
        ...costCells(healthy[operation]),
        ...costCells(beside?.[operation])
      ])
    )
  }
}

function costColumns(when: string): Column[] {
  return ['messages', 'mean hops', 'p99 hops', 'most hops', 'right'].map((title) => ({
    title: `${title}, ${when}`
  }))
}

function costCells(operation: SimulatedOperation | undefined): (string | number | null)[] {
  if (operation === undefined) {
    return [null, null, null, null, null]
  }

  const { costs, right } = operation
  const { mean, p99, max } = summaryOf(costs.map(({ hops }) => hops))
  return [
    significant(messagesOf(operation)),
    significant(mean),
    p99,
    max,
    `${right} of ${costs.length}`
  ]
}

function placementTable(simulated: readonly SimulatedFigures[]): Table {
  const cells = (figures: SimulatedFigures | undefined): (number | null)[] =>
    figures === undefined
      ? [null, null]
      : [significant(figures.placement.copies), significant(100 * figures.placement.nearestShare)]

  return {
    title: 'Where records are after a store, simulated',
    columns: [
      { title: 'nodes' },
      { title: 'tables' },
      { title: 'copies, all alive' },
      { title: 'of the 5 nearest, all alive', unit: '%' },
      { title: 'copies, some dead' },
      { title: 'of the 5 nearest, some dead', unit: '%' }
    ],
    rows: pairs(simulated).map(({ healthy, beside }) => [
      healthy.size,
      healthy.shape,
      ...cells(healthy),
      ...cells(beside)
    ])
  }
}

/** The same network without and with dead nodes. */
function pairs(
  simulated: readonly SimulatedFigures[]
): { healthy: SimulatedFigures; beside: SimulatedFigures | undefined }[] {
  return simulated
    .filter(({ deadShare }) => deadShare === 0)
    .map((healthy) => ({
      healthy,
      beside: simulated.find(
        ({ size, shape, deadShare }) =>
          size === healthy.size && shape === healthy.shape && deadShare > 0
      )
    }))
}

function messagesOf({ costs }: SimulatedOperation): number {
  return meanOf(costs.map(({ messages }) => messages))
}

function messagesChart(
  real: readonly RealFigures[],
  simulated: readonly SimulatedFigures[]
): Chart {
  const sizes = [
    ...new Set([...real.map(({ nodes }) => nodes), ...simulated.map(({ size }) => size)])
  ]
  sizes.sort((a, b) => a - b)
  const logarithms = sizes.map((size) => significant(Math.log2(size)))
  const realGets = sizes.map((size) => {
    const figures = real.find(({ nodes }) => nodes === size)
    const get = figures?.operations.find(({ operation }) => operation === 'get')
    return get === undefined ? null : significant(get.messages)
  })
  const simulatedGets = (shape: string): (number | null)[] =>
    sizes.map((size) => {
      const pair = pairs(simulated).find(
        ({ healthy }) => healthy.size === size && healthy.shape === shape
      )
      return pair === undefined ? null : significant(messagesOf(pair.healthy.get))
    })

  return {
    name: 'growth-messages',
    title: 'Messages of a get',
    kind: 'lines',
    x: { title: 'log₂ of the nodes', values: logarithms },
    y: { title: 'messages' },
    series: [
      { title: 'real', values: realGets },
      { title: 'simulated, kad-dht tables', values: simulatedGets('kad-dht') },
      { title: 'simulated, kademlia tables', values: simulatedGets('kademlia') },
      { title: 'log₂ of the nodes', values: logarithms }
    ]
  }
}
