import { randomUUID } from 'node:crypto'
import type { DHT } from '@waggle/dht'
import { distantNode } from '../../nodes/distant-node.ts'
import { lookUp } from '../../nodes/settle.ts'
import type { RunOptions } from '../../result/result.ts'
import { DistantNetwork } from './network.ts'
import { countRight, operationsWith, type Timing, timeRuns } from './operations.ts'

/** Half of a round trip of 50 ms. */
export const ONE_WAY_MS = 25

/** Random lookups after which a client counts as connected. */
const MAX_LOOKUPS = 200

/**
 * Sizes of the networks; keys of bulk calls; repeats of each operation; first operations of new clients; and new
 * clients, with as many new servers, which can be nearer to a key than its replicas.
 */
export const SIZES = {
  full: {
    ...{ networks: [20, 64], manyKeys: 1000, repeats: [41, 41, 21, 41, 7, 7] },
    ...{ cold: ['get', 'get latest', 'get, nothing there', 'store'], coldRepeats: 7 },
    ...{ newcomers: 3, keysToFind: 200 }
  },
  quick: {
    ...{ networks: [4], manyKeys: 20, repeats: [3, 1, 1, 3, 1, 1] },
    ...{ cold: ['get'], coldRepeats: 1, newcomers: 1, keysToFind: 10 }
  }
}

export type Sizes = typeof SIZES.full

export type NetworkFigures = Awaited<ReturnType<typeof measureNetwork>>

/** Starts a network and measures everything on it. */
export async function measureNetwork(
  nodes: number,
  sizes: Sizes,
  { signal, log }: Pick<RunOptions, 'signal' | 'log'>
) {
  await using network = await DistantNetwork.start(nodes, ONE_WAY_MS, { signal })
  log(`${nodes} nodes know each other`)
  const warm = await measureWarm(network, nodes, sizes)
  log('measured with open connections')
  const cold = await measureCold(network, sizes)
  log('measured newcomers')
  return { nodes, ...warm, cold, found: await findAtOnce(network, sizes) }
}

/** Measures all operations of a client that already has connections. */
async function measureWarm(network: DistantNetwork, nodes: number, { manyKeys, repeats }: Sizes) {
  await using node = await newClient(network, 0)
  let lookups = 0

  for (; node.peers.length < nodes && lookups < MAX_LOOKUPS; lookups++) {
    await lookUp(node, randomUUID())
  }

  const connections = node.peers.length
  const warm: Timing[] = []
  const stage = { storeAll: network.storeAll, nodeFor: () => node }

  for (const [i, operation] of operationsWith(manyKeys).entries()) {
    warm.push(await timeRuns(operation, repeats[i] ?? 1, stage))
  }

  return { lookups, connections, warm }
}

/** Measures joining, and the first operation of clients that have just joined and are otherwise idle. */
async function measureCold(
  network: DistantNetwork,
  { manyKeys, cold, coldRepeats }: Sizes
): Promise<Timing[]> {
  const createMs: number[] = []
  const timings: Timing[] = []

  for (const operation of operationsWith(manyKeys).filter(({ name }) => cold.includes(name))) {
    await using clients = new AsyncDisposableStack()
    let last: DHT | undefined
    const nodeFor = async (): Promise<DHT> => {
      await last?.stop()
      const start = performance.now()
      last = clients.use(await newClient(network, createMs.length))
      createMs.push(performance.now() - start)
      return last
    }
    timings.push(await timeRuns(operation, coldRepeats, { storeAll: network.storeAll, nodeFor }))
  }

  const create = { keys: 1, timesMs: createMs, right: createMs.length }
  return [{ operation: 'create', ...create }, ...timings]
}

/** Joins clients and servers, each of which reads all keys at once. They stay until all have read. */
async function findAtOnce(network: DistantNetwork, { newcomers, keysToFind }: Sizes) {
  const keys = Array.from({ length: keysToFind }, () => randomUUID())
  await network.storeAll(keys)
  await using nodes = new AsyncDisposableStack()
  const rows = [true, false].map((clientMode) => ({
    clientMode,
    newcomers: `${newcomers} ${clientMode ? 'clients' : 'servers'}`,
    keys: keysToFind,
    found: 0,
    of: newcomers * keysToFind
  }))

  for (const row of rows) {
    for (let i = 0; i < newcomers; i++) {
      const options = { initialPeers: network.entry(i), clientMode: row.clientMode }
      const node = nodes.use(await distantNode(ONE_WAY_MS, options))
      row.found += countRight(keys, await node.getMany(keys))
    }
  }

  return rows
}

function newClient(network: DistantNetwork, number: number): Promise<DHT> {
  return distantNode(ONE_WAY_MS, { initialPeers: network.entry(number), clientMode: true })
}
