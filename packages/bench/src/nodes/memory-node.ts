import { setTimeout as passed } from 'node:timers/promises'
import { memory } from '@libp2p/memory'
import { plaintext } from '@libp2p/plaintext'
import { yamux } from '@libp2p/yamux'
import { DHT, type DHTOptions } from '@waggle/dht'
import { any, type Random } from '../workload/random.ts'
import { settle, unsettled } from './settle.ts'

/** Time limit: longer than a process with hundreds of nodes is ever busy with other work. */
const PATIENCE_MS = 300_000

/** Time limit for a new node to find its neighbours before the next one starts. */
const ARRIVAL_MS = 20_000
const PAUSE_MS = 5

/** Watermarks of connections in networks that have many more nodes: most requests then need a dial. */
export const FEW_CONNECTIONS = { low: 11, high: 16 }

/**
 * Creates a node that others in the same process reach without a network and without encryption. Connections are
 * not pinged: pings would use most of the processor time of a process with hundreds of nodes.
 */
export function memoryNode(options: DHTOptions): Promise<DHT> {
  return DHT.create({
    bootstrapTimeoutMs: PATIENCE_MS,
    requestTimeoutMs: PATIENCE_MS,
    ...options,
    libp2pOptions: {
      transports: [memory()],
      connectionEncrypters: [plaintext()],
      streamMuxers: [yamux()],
      connectionMonitor: { enabled: false }
    }
  })
}

/**
 * Starts nodes one after another, each through a random earlier one, when the previous one has found its
 * neighbours: all share one thread, and the work that newcomers cause would pile up.
 */
export async function memoryNodes(
  count: number,
  random: Random,
  options: DHTOptions
): Promise<DHT[]> {
  const nodes: DHT[] = []

  for (let i = 0; i < count; i++) {
    const initialPeers = i === 0 ? [] : any(nodes, random).multiaddrs
    const listenOn = `/memory/${i}`
    const node = await memoryNode({ ...options, listenOn, initialPeers })
    nodes.push(node)
    const patience = AbortSignal.timeout(ARRIVAL_MS)

    while (unsettled([node], i).length > 0 && !patience.aborted) {
      await passed(PAUSE_MS)
    }
  }

  await settle(unsettled(nodes, count - 1), count - 1)
  return nodes
}
