import type { Layers } from '../../floor/bare-node.ts'
import { FloorNetwork, type FloorOptions } from '../../floor/floor-network.ts'
import type { FloorOperation } from '../../floor/handlers.ts'
import type { Chart, RunOptions, Scenario, ScenarioResult, Table } from '../../interface.ts'
import { medianOf, percentile } from '../../statistics.ts'
import { type Load, type Measured, rate } from '../../workload/drive.ts'

/** What a bare libp2p stream costs: the floor under everything that uses one. */
export const floor: Scenario = {
  name: 'floor',
  title: 'What a bare stream costs: requests of 200 bytes between processes, without Waggle.',
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
  'Each connection is TCP, noise and yamux: as libp2p comes (stock), or with the two thin layers that `DHT.create` puts around noise and yamux (layered). ' +
    'On both sides there is nothing but `stream.send` and `message` events, with four bytes of length before each message. Coalesced means that the frames of one microtask go out in one write.',
  'The client is a process of its own; the five peers are in four other processes, as are the nodes of the scenario peers. ' +
    'All of them share the cores of one machine, so a request to 5 peers takes longer than one to one peer. ' +
    'Each case runs once unmeasured before it is measured; the figures are medians over the rounds.'
]

const LAYERS: readonly Layers[] = ['stock', 'layered']

type Found = Readonly<Record<Layers, ReadonlyMap<Case, readonly Measured[]>>>

/** What is done in each round, and unmeasured before it. */
const LOADS = {
  full: { rounds: 3, count: 5_000, limitMs: 3_000 },
  quick: { rounds: 1, count: 20, limitMs: 1_000 }
} as const

async function run({ effort, signal, log }: RunOptions): Promise<ScenarioResult> {
  const { rounds } = LOADS[effort]
  const measured = { stock: new Map<Case, Measured[]>(), layered: new Map<Case, Measured[]>() }

  for (let round = 1; round <= rounds; round++) {
    for (const layers of LAYERS) {
      log(`round ${round} of ${rounds}: ${layers}`)
      await measure(measured[layers], { layers, effort, signal })
    }
  }

  return resultOf(measured)
}

async function measure(found: Map<Case, Measured[]>, options: FloorOptions): Promise<void> {
  const { count, limitMs } = LOADS[options.effort]
  const network = await FloorNetwork.start(options)

  try {
    for (const each of casesOf(options.layers)) {
      const load: Load = { count, inFlight: each.inFlight, limitMs }
      await network.run(each.operation, load)
      found.set(each, [...(found.get(each) ?? []), await network.run(each.operation, load)])
    }
  } finally {
    await network.stop()
  }
}

function resultOf(measured: Found): ScenarioResult {
  const streamMs = p50(
    CASES.flatMap((each) => (isStream(each) ? (measured.stock.get(each) ?? []) : []))
  )
  const table: Table = {
    title: 'Requests of 200 bytes, each answered with as many',
    columns: [
      { title: 'connection' },
      { title: 'by' },
      { title: 'in flight' },
      { title: 'p50', unit: 'ms' },
      { title: 'p95', unit: 'ms' },
      { title: 'requests', unit: '1/s' },
      { title: 'p50 against the stock long-lived stream', unit: '×' }
    ],
    rows: LAYERS.flatMap((layers) =>
      Array.from(measured[layers], ([{ title, inFlight }, results]) => [
        layers,
        title,
        inFlight,
        p50(results),
        medianOf(results, ({ latenciesMs }) => percentile(latenciesMs, 0.95)),
        medianOf(results, rate),
        inFlight === 1 ? p50(results) / streamMs : null
      ])
    )
  }

  return { notes: NOTES, tables: [table], charts: [chartOf(measured)], goals: [] }
}

function chartOf(measured: Found): Chart {
  return {
    name: 'rate',
    title: 'Requests per second, and how many in flight',
    kind: 'bars',
    x: {
      title: 'by, and how many in flight',
      values: CASES.map(({ title, inFlight }) => `${title} (${inFlight})`)
    },
    y: { title: 'requests per second', isLogarithmic: true },
    series: LAYERS.map((layers) => ({
      title: layers,
      values: CASES.map((each) => {
        const results = measured[layers].get(each)
        return results === undefined ? null : medianOf(results, rate)
      })
    }))
  }
}

/** TCP alone has no layers. */
function casesOf(layers: Layers): readonly Case[] {
  return layers === 'stock' ? CASES : CASES.filter(({ operation }) => operation !== 'tcp')
}

function isStream({ operation, inFlight }: Case): boolean {
  return operation === 'stream' && inFlight === 1
}

function p50(results: readonly Measured[]): number {
  return medianOf(results, ({ latenciesMs }) => percentile(latenciesMs, 0.5))
}
