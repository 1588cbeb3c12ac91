import type { Chart, Goal, ScenarioResult, Table } from '../../interface.ts'
import { significant, summaryOf, totalOf } from '../../statistics.ts'
import type { OperationName } from './distant-operations.ts'
import type { FoundAtOnce } from './find-at-once.ts'
import type { ColdTimings } from './measure-cold.ts'
import type { Timing } from './measure-warm.ts'

export interface NetworkFigures {
  readonly nodes: number

  /** What warming up took, and how many connections there were then. */
  readonly searches: number
  readonly connections: number

  /** A byte there and back on an open stream: what a round trip really takes. */
  readonly bareMs: number
  readonly warm: readonly Timing[]
  readonly cold: ColdTimings
  readonly atOnce: readonly FoundAtOnce[]
}

export interface Setting {
  /** What was injected. */
  readonly roundTripMs: number

  /** Keys of a getMany. */
  readonly manyKeys: number
}

/**
 * What Hivemind takes in a network of 64, as measured elsewhere on its own code, over a network in
 * memory that delays each of its requests. Its many are 64 keys.
 */
const HIVEMIND_AT_64: Readonly<Record<OperationName, number>> = {
  get: 1.1,
  'get latest': 5.4,
  'get, nothing there': 5.2,
  store: 6.2,
  getMany: 5.6,
  storeMany: 59
}

/** At most so many round trips, in a network of 64. */
const GOALS: readonly { readonly operation: OperationName; readonly most: number }[] = [
  { operation: 'get', most: 1.2 },
  { operation: 'store', most: 2.2 },
  { operation: 'getMany', most: 3 }
]
const NODES_OF_GOALS = 64

export function resultOf(networks: readonly NetworkFigures[], setting: Setting): ScenarioResult {
  return {
    notes: notesOf(networks, setting),
    tables: [warmTable(networks), coldTable(networks), atOnceTable(networks)],
    charts: networks.slice(-1).map(roundTripsChart),
    goals: [...roundTripGoals(networks, setting), ...networks.map(foundGoal)]
  }
}

function notesOf(networks: readonly NetworkFigures[], { roundTripMs }: Setting): string[] {
  return [
    `TCP on one machine, where each end takes in what it is sent ${roundTripMs / 2} ms later, and connecting waits for ${roundTripMs} ms first. How much is on the way at once is not limited. The servers share as many processes as there are cores; the node that is measured, a client, has one of its own.`,
    ...networks.map(
      ({ nodes, searches, connections, bareMs }) =>
        `${nodes} nodes: after ${searches} searches for random keys the client was connected to ${connections} of them. A byte there and back on an open stream takes ${significant(bareMs)} ms, and this is the round trip that others are counted in.`
    ),
    'Every key is used once. What is got was stored by servers.',
    'Hivemind: in a network of 64, as measured elsewhere on its own code over a network in memory that delays each request; its many are 64 keys.'
  ]
}

function warmTable(networks: readonly NetworkFigures[]): Table {
  return {
    title: 'A client that is connected already',
    columns: [
      { title: 'nodes' },
      { title: 'operation' },
      { title: 'p50', unit: 'ms' },
      { title: 'p50', unit: 'round trips' },
      { title: 'p95', unit: 'round trips' },
      { title: 'right' },
      { title: 'Hivemind', unit: 'round trips' }
    ],
    rows: networks.flatMap((network) =>
      network.warm.map((timing) => [
        ...timingCells(timing, network),
        network.nodes === NODES_OF_GOALS ? HIVEMIND_AT_64[timing.operation] : null
      ])
    )
  }
}

function coldTable(networks: readonly NetworkFigures[]): Table {
  return {
    title: 'The first operation of a client that has just joined, and joining',
    columns: [
      { title: 'nodes' },
      { title: 'operation' },
      { title: 'p50', unit: 'ms' },
      { title: 'p50', unit: 'round trips' },
      { title: 'p95', unit: 'round trips' },
      { title: 'right' }
    ],
    rows: networks.flatMap((network) => [
      createCells(network),
      ...network.cold.first.map((timing) => timingCells(timing, network))
    ])
  }
}

function createCells({ nodes, bareMs, cold: { createMs } }: NetworkFigures): (string | number)[] {
  const { p50, p95, count } = summaryOf(createMs)
  return [
    nodes,
    'create',
    ...[p50, p50 / bareMs, p95 / bareMs].map(rounded),
    `${count} of ${count}`
  ]
}

function timingCells(
  { operation, keys, timesMs, right }: Timing,
  { nodes, bareMs }: NetworkFigures
): (string | number)[] {
  const { p50, p95 } = summaryOf(timesMs)
  const name = keys === 1 ? operation : `${operation}(${keys})`
  const times = [p50, p50 / bareMs, p95 / bareMs].map(rounded)
  return [nodes, name, ...times, `${right} of ${timesMs.length}`]
}

function rounded(value: number): number {
  return significant(value)
}

function atOnceTable(networks: readonly NetworkFigures[]): Table {
  return {
    title: 'What a node finds at once when it has joined',
    columns: [
      { title: 'nodes' },
      { title: 'newcomers' },
      { title: 'keys each' },
      { title: 'found' },
      { title: 'of' }
    ],
    rows: networks.flatMap(({ nodes, atOnce }) =>
      atOnce.map(({ kind, newcomers, keys, found }) => [
        nodes,
        `${newcomers} ${kind}s`,
        keys,
        found,
        newcomers * keys
      ])
    )
  }
}

function roundTripsChart({ nodes, bareMs, warm }: NetworkFigures): Chart {
  const isCompared = nodes === NODES_OF_GOALS
  const waggle = warm.map(({ timesMs }) => significant(summaryOf(timesMs).p50 / bareMs))
  const hivemind = warm.map(({ operation }) => HIVEMIND_AT_64[operation])

  return {
    name: 'wan-round-trips',
    title: `Round trips of an operation, ${nodes} nodes`,
    kind: 'bars',
    x: { title: 'operation', values: warm.map(({ operation }) => operation) },
    y: { title: 'round trips', isLogarithmic: true },
    series: [
      { title: 'Waggle', values: waggle },
      ...(isCompared ? [{ title: 'Hivemind (measured elsewhere)', values: hivemind }] : [])
    ]
  }
}

function roundTripGoals(
  networks: readonly NetworkFigures[],
  { manyKeys }: Setting
): readonly Goal[] {
  const network = networks.find(({ nodes }) => nodes === NODES_OF_GOALS)

  return GOALS.map(({ operation, most }) => {
    const name = operation === 'getMany' ? `${operation}(${manyKeys})` : operation
    const text = `${name} among ${NODES_OF_GOALS} nodes: at most ${most} round trips`
    const timing = network?.warm.find((candidate) => candidate.operation === operation)

    if (network === undefined || timing === undefined) {
      return { text, measured: `not measured with ${NODES_OF_GOALS} nodes`, isMet: undefined }
    }

    const roundTrips = summaryOf(timing.timesMs).p50 / network.bareMs
    return { text, measured: `${significant(roundTrips)} (p50)`, isMet: roundTrips <= most }
  })
}

function foundGoal({ nodes, atOnce }: NetworkFigures): Goal {
  const wanted = totalOf(atOnce, ({ newcomers, keys }) => newcomers * keys)
  const found = totalOf(atOnce, (each) => each.found)

  return {
    text: `a node that has just joined ${nodes} others finds every key`,
    measured: `${found} of ${wanted}`,
    isMet: found === wanted
  }
}
