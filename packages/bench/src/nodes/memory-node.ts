import { setTimeout as passed } from 'node:timers/promises'
import { memory } from '@libp2p/memory'
import { plaintext } from '@libp2p/plaintext'
import { yamux } from '@libp2p/yamux'
import { DHT, type DHTOptions } from '@waggle/dht'
import { any, type Random } from '../workload/random.ts'
import { settle, unsettled } from './settle.ts'

/** Time limit: longer than a process with hundreds of nodes is ever busy with something else. */
const PATIENCE_MS = 300_000

/** Time that a new node may take to know its neighbours before the next one starts. */
const ARRIVAL_MS = 20_000
const PAUSE_MS = 5

/** Connections that nodes keep in networks that have many more of them: most requests need a dial then. */
export const FEW_CONNECTIONS = { low: 11, high: 16 }

/**
 * Creates a node that others in the same process reach without a network and without encryption. Connections are
 * not pinged: where hundreds of nodes share a process, it would do little else.
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
 * Starts nodes one after another, each through a random earlier one, when the one before knows its neighbours:
 * all share one thread, and the work that newcomers cause would pile up.
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
