import { Child, nodeCommand } from '../../processes/child.ts'
import type { NetworkHandlers } from './network-main.ts'

/**
 * Real networks with their clients, lookups of each client before the measurement, and the largest network that is
 * measured idle, as the pings of a larger one take more than a core; and simulated networks. 256 real nodes in one
 * process take ten minutes only to connect, nearly all of them to all others. On a machine half as fast they may
 * never be done, as kad-dht refreshes its tables meanwhile.
 */
export const SIZES = {
  full: {
    ...{ real: [16, 64, 256], clients: 4, lookups: 25, operations: 4000 },
    ...{ idleMs: 40_000, maxIdle: 64 },
    ...{ simulated: [16, 64, 256, 1000, 10_000], simulatedOperations: 1000 }
  },
  quick: {
    ...{ real: [4], clients: 1, lookups: 2, operations: 20, idleMs: 500, maxIdle: 4 },
    ...{ simulated: [16, 64], simulatedOperations: 20 }
  }
}

type Sizes = typeof SIZES.full

const TIMEOUT_MS = 3_600_000

export type RealFigures = Awaited<ReturnType<typeof measureReal>>

/** Measures operations without pings, which would disturb them, and idle nodes with pings, each in a process of its own. */
export async function measureReal(nodes: number, sizes: Sizes, signal: AbortSignal) {
  const figures = await measureOperations(nodes, sizes, signal)
  const { idleMs, maxIdle } = sizes
  return {
    ...figures,
    idleCPU: nodes <= maxIdle ? await measureIdle(nodes, idleMs, signal) : undefined
  }
}

async function measureOperations(
  nodes: number,
  { clients, lookups, operations: count, idleMs }: Sizes,
  signal: AbortSignal
) {
  await using network = networkProcess(signal)
  const build = await network.call('start', { count: nodes, isPinging: false })
  const clientConnections = await network.call('startClients', { count: clients, lookups })
  const { share: idleShare, connections } = await network.call('idle', idleMs)
  const operations = await Array.fromAsync(['get', 'get latest', 'store'] as const, (operation) =>
    network.call('measure', { operation, count, idleShare })
  )

  return { nodes, ...build, connections, clientConnections, operations }
}

/** Resolves with the percentage of a core that an idle node takes. */
async function measureIdle(count: number, idleMs: number, signal: AbortSignal): Promise<number> {
  await using network = networkProcess(signal)
  await network.call('start', { count, isPinging: true })
  const { share } = await network.call('idle', idleMs)
  return (100 * share) / count
}

function networkProcess(signal: AbortSignal): Child<NetworkHandlers> {
  const command = nodeCommand(new URL('network-main.ts', import.meta.url))
  return new Child(command, { signal, timeoutMs: TIMEOUT_MS })
}
