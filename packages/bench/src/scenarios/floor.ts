import type { Layers } from '../floor/bare-node.ts'
import type { FloorOperation } from '../floor/client-main.ts'
import { measureFloor } from '../floor/measure-floor.ts'
import { tableOf } from '../result/build.ts'
import type { RunOptions, Scenario, ScenarioResult } from '../result/result.ts'
import { latencyOf, type Measured } from '../workload/drive.ts'

/** Cost of a bare libp2p stream: the lower bound of everything that uses one. */
export const floor: Scenario = {
  name: 'floor',
  title: 'Cost of a bare stream: requests of 200 bytes between processes, without Waggle.',
  run
}

const CASES: readonly (readonly [by: string, operation: FloorOperation, inFlight: number])[] = [
  ['long-lived stream', 'stream', 1],
  ['long-lived stream, pipelined', 'stream', 64],
  ['long-lived stream, pipelined and coalesced', 'coalesced', 64],
  ['a new stream for each request', 'fresh', 1],
  ['a new stream for each request', 'fresh', 50],
  ['one request to 5 peers at once', 'fan-out', 1],
  ['one request to 5 peers at once, coalesced', 'fan-out coalesced', 50]
]

const NOTES = [
  'Each connection is TCP, noise and yamux: as libp2p makes it (stock), or with the two thin layers that `DHT.create` puts around noise and yamux (layered). ' +
    'Both sides use only `stream.send` and `message` events, with a length of four bytes before each message. "Coalesced" means that the frames of one microtask go out in one write.',
  'The client has a process of its own; the five peers run in four other processes, as the nodes of the scenario peers do. ' +
    'All of them share the cores of one machine, so a request to 5 peers takes longer than a request to one. ' +
    'Each case runs once unmeasured before it is measured. Figures are medians over the rounds.'
]

const LAYERS: readonly Layers[] = ['stock', 'layered']

/** Load of each case in each round. */
const LOADS = {
  full: { rounds: 3, count: 5_000, limitMs: 3_000 },
  quick: { rounds: 1, count: 20, limitMs: 1_000 }
}

async function run(options: RunOptions): Promise<ScenarioResult> {
  const { rounds, ...load } = LOADS[options.effort]
  const loads = CASES.map(([, operation, inFlight]) => ({ operation, inFlight, ...load }))
  const measured = new Map<string, Measured[][]>(LAYERS.map((layers) => [layers, []]))

  for (let round = 1; round <= rounds; round++) {
    for (const layers of LAYERS) {
      options.log(`round ${round} of ${rounds}: ${layers}`)
      measured.get(layers)?.push(await measureFloor(layers, options, loads))
    }
  }

  const rows = [...measured].flatMap(([connection, all]) =>
    CASES.map(([by, , inFlight], i) => {
      return { connection, by, inFlight, ...latencyOf(all.flatMap((round) => round[i] ?? [])) }
    })
  )
  const [{ p50Ms: streamMs = Number.NaN } = {}] = rows
  const table = tableOf('Requests of 200 bytes and replies of the same size', rows, {
    connection: 'connection',
    by: 'by',
    'in flight': 'inFlight',
    'p50 (ms)': 'p50Ms',
    'p95 (ms)': 'p95Ms',
    'requests (1/s)': 'rate',
    'p50 against the stock long-lived stream (×)': ({ inFlight, p50Ms = Number.NaN }) =>
      inFlight === 1 ? p50Ms / streamMs : null
  })

  return { notes: NOTES, tables: [table], goals: [] }
}
