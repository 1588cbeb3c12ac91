import type { RunOptions, Scenario, ScenarioResult } from '../../interface.ts'
import { bareRoundTripMs } from './bare-round-trip.ts'
import { DistantNetwork } from './distant-network.ts'
import { distantNode } from './distant-node.ts'
import { distantOperations, type OperationName } from './distant-operations.ts'
import { findAtOnce } from './find-at-once.ts'
import { measureCold } from './measure-cold.ts'
import { measureWarm, type Repeats, warmUp } from './measure-warm.ts'
import { type NetworkFigures, resultOf } from './result.ts'

/** 50 ms there and back. */
const ONE_WAY_MS = 25
const ECHOES = 21

interface Sizes {
  readonly networks: readonly number[]
  readonly manyKeys: number
  readonly repeats: Repeats

  /** What newcomers do first. */
  readonly cold: readonly OperationName[]
  readonly coldRepeats: number
  readonly newcomers: number
  readonly keysToFind: number
}

const SIZES: Readonly<Record<RunOptions['effort'], Sizes>> = {
  full: {
    networks: [20, 64],
    manyKeys: 1000,
    repeats: {
      get: 41,
      'get latest': 41,
      'get, nothing there': 21,
      store: 41,
      getMany: 7,
      storeMany: 7
    },
    cold: ['get', 'get latest', 'get, nothing there', 'store'],
    coldRepeats: 7,
    newcomers: 3,
    keysToFind: 200
  },
  quick: {
    networks: [4],
    manyKeys: 20,
    repeats: {
      get: 3,
      'get latest': 1,
      'get, nothing there': 1,
      store: 3,
      getMany: 1,
      storeMany: 1
    },
    cold: ['get'],
    coldRepeats: 1,
    newcomers: 1,
    keysToFind: 10
  }
}

export const wan: Scenario = {
  name: 'wan',
  title: 'Nodes 50 ms apart: how many round trips an operation takes',
  run
}

async function run({ effort, signal, log }: RunOptions): Promise<ScenarioResult> {
  const sizes = SIZES[effort]
  const networks: NetworkFigures[] = []

  for (const nodes of sizes.networks) {
    signal.throwIfAborted()
    networks.push(await measureNetwork(nodes, sizes, { signal, log }))
  }

  return resultOf(networks, { roundTripMs: 2 * ONE_WAY_MS, manyKeys: sizes.manyKeys })
}

async function measureNetwork(
  nodes: number,
  { manyKeys, repeats, cold: first, coldRepeats, newcomers, keysToFind }: Sizes,
  { signal, log }: Pick<RunOptions, 'signal' | 'log'>
): Promise<NetworkFigures> {
  const operations = distantOperations(manyKeys)
  await using network = await DistantNetwork.start({ nodes, oneWayMs: ONE_WAY_MS, signal })
  log(`${nodes} nodes know each other`)

  await using client = await distantNode(ONE_WAY_MS, {
    initialPeers: network.entry(0),
    clientMode: true
  })
  const searches = await warmUp(client, nodes)
  const connections = client.peers.length
  const bareMs = await bareRoundTripMs(client.libp2p, { count: ECHOES })
  const warm = await measureWarm(client, network, { operations, repeats })
  log('measured with open connections')

  const cold = await measureCold(network, {
    operations: operations.filter(({ name }) => first.includes(name)),
    repeats: coldRepeats,
    oneWayMs: ONE_WAY_MS
  })
  log('measured newcomers')

  const atOnce = await findAtOnce(network, { newcomers, keys: keysToFind, oneWayMs: ONE_WAY_MS })
  return { nodes, searches, connections, bareMs, warm, cold, atOnce }
}
