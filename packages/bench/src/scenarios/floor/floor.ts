import { FloorNetwork } from '../../floor/floor-network.ts'
import type { FloorOperation } from '../../floor/handlers.ts'
import type { Chart, RunOptions, Scenario, ScenarioResult, Table } from '../../interface.ts'
import { medianOf, percentile } from '../../statistics.ts'
import { type Load, type Measured, rate } from '../../workload/drive.ts'

/** What a bare libp2p stream costs: the floor under everything that uses one. */
export const floor: Scenario = {
  name: 'floor',
  title: 'What a bare stream costs: requests of 200 bytes between two processes, without Waggle.',
  run
}

interface Case {
  readonly title: string
  readonly operation: FloorOperation
  readonly inFlight: number
}

const CASES: readonly Case[] = [
  { title: 'raw TCP', operation: 'tcp', inFlight: 1 },
  { title: 'long-lived stream', operation: 'stream', inFlight: 1 },
  { title: 'long-lived stream, pipelined', operation: 'stream', inFlight: 64 },
  { title: 'long-lived stream, pipelined and coalesced', operation: 'coalesced', inFlight: 64 },
  { title: 'a fresh stream for each request', operation: 'fresh', inFlight: 1 },
  { title: 'a fresh stream for each request', operation: 'fresh', inFlight: 50 },
  { title: 'one request to 5 peers at once', operation: 'fan-out', inFlight: 1 },
  {
    title: 'one request to 5 peers at once, coalesced',
    operation: 'fan-out coalesced',
    inFlight: 50
  }
]

const NOTES = [
  'One connection: TCP, noise, yamux, as Waggle has it. On both sides there is nothing but `stream.send` and `message` events, with four bytes of length before each message. ' +
    'Coalesced means that the frames of one microtask go out in one write.',
  'The client is a process of its own; the five peers are in four other processes, as are the nodes of the scenario peers. ' +
    'All of them share the cores of one machine, so a request to 5 peers takes longer than one to one peer. ' +
    'Each case runs once unmeasured before it is measured; the figures are medians over the rounds.'
]

/** What is done in each round, and unmeasured before it. */
const LOADS = {
  full: { rounds: 3, count: 5_000, limitMs: 3_000 },
  quick: { rounds: 1, count: 20, limitMs: 1_000 }
} as const

async function run({ effort, signal, log }: RunOptions): Promise<ScenarioResult> {
  const { rounds, count, limitMs } = LOADS[effort]
  const network = await FloorNetwork.start({ effort, signal })
  const measured = new Map<Case, Measured[]>(CASES.map((each) => [each, []]))

  try {
    for (let round = 1; round <= rounds; round++) {
      log(`round ${round} of ${rounds}`)

      for (const [{ operation, inFlight }, results] of measured) {
        const load: Load = { count, inFlight, limitMs }
        await network.run(operation, load)
        results.push(await network.run(operation, load))
      }
    }
  } finally {
    await network.stop()
  }

  return resultOf(measured)
}

function resultOf(measured: ReadonlyMap<Case, readonly Measured[]>): ScenarioResult {
  const table: Table = {
    title: 'Requests of 200 bytes, each answered with as many',
    columns: [
      { title: 'by' },
      { title: 'in flight' },
      { title: 'p50', unit: 'ms' },
      { title: 'p95', unit: 'ms' },
      { title: 'requests', unit: '1/s' },
      { title: 'p50 against the long-lived stream', unit: '×' }
    ],
    rows: Array.from(measured, ([{ title, inFlight }, results]) => [
      title,
      inFlight,
      p50(results),
      medianOf(results, ({ latenciesMs }) => percentile(latenciesMs, 0.95)),
      medianOf(results, rate),
      inFlight === 1 ? p50(results) / p50(streamOf(measured)) : null
    ])
  }

  return { notes: NOTES, tables: [table], charts: [chartOf(measured)], goals: [] }
}

function chartOf(measured: ReadonlyMap<Case, readonly Measured[]>): Chart {
  return {
    name: 'rate',
    title: 'Requests per second, and how many in flight',
    kind: 'bars',
    x: {
      title: 'by, and how many in flight',
      values: Array.from(measured.keys(), ({ title, inFlight }) => `${title} (${inFlight})`)
    },
    y: { title: 'requests per second', isLogarithmic: true },
    series: [
      { title: 'requests', values: Array.from(measured.values(), (each) => medianOf(each, rate)) }
    ]
  }
}

function streamOf(measured: ReadonlyMap<Case, readonly Measured[]>): readonly Measured[] {
  const one = CASES.find(({ operation, inFlight }) => operation === 'stream' && inFlight === 1)
  return (one && measured.get(one)) ?? []
}

function p50(results: readonly Measured[]): number {
  return medianOf(results, ({ latenciesMs }) => percentile(latenciesMs, 0.5))
}
