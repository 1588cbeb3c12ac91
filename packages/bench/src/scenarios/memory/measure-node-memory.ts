import type { Effort } from '../../interface.ts'
import type { LiveMemory } from '../../processes/live-memory.ts'
import { collecting } from '../../processes/node-command.ts'
import type { Remote } from '../../processes/remote.ts'
import { type Contestant, WAGGLE } from '../../systems/contestants.ts'
import type { ServerHandlers } from '../../systems/handlers.ts'
import { Network } from '../../systems/network.ts'
import { KeyNumbers } from '../../workload/key-numbers.ts'

/** What one process with so many nodes needs. */
export interface NodeMemory {
  readonly nodes: number
  readonly start: LiveMemory
  readonly loaded: LiveMemory
}

interface MeasureOptions {
  readonly effort: Effort
  readonly signal: AbortSignal
}

const LOADS = {
  full: { oneByOne: 200, burst: 400, depth: 50, bulk: 1_000 },
  quick: { oneByOne: 3, burst: 10, depth: 5, bulk: 20 }
} as const

const RUN_TIMEOUT_MS = 120_000

/** Starts the nodes in one process, and measures it before and after a load. */
export async function measureNodeMemory(
  nodes: number,
  { effort, signal }: MeasureOptions
): Promise<NodeMemory> {
  const contestant: Contestant = { ...WAGGLE, serverCommand: collecting(WAGGLE.serverCommand) }
  const network = await Network.start({ contestant, nodesOfProcesses: [nodes], signal })

  try {
    const start = await liveMemoryOf(network.lastServer)
    await load(network, effort)
    return { nodes, start, loaded: await liveMemoryOf(network.lastServer) }
  } finally {
    await network.stop()
  }
}

async function liveMemoryOf(server: Remote<ServerHandlers>): Promise<LiveMemory> {
  return server.call('liveMemory', {})
}

async function load({ client }: Network, effort: Effort): Promise<void> {
  const { oneByOne, burst, depth, bulk } = LOADS[effort]
  const numbers = new KeyNumbers()

  for (const [count, inFlight] of [
    [oneByOne, 1],
    [burst, depth]
  ] as const) {
    const keys = numbers.take(count)
    await client.call('run', { operation: 'store', keys, inFlight }, RUN_TIMEOUT_MS)
    await client.call('run', { operation: 'get', keys, inFlight }, RUN_TIMEOUT_MS)
  }

  const keys = numbers.take(bulk)
  await client.call('bulk', { operation: 'storeMany', keys }, RUN_TIMEOUT_MS)
  await client.call('bulk', { operation: 'getMany', keys }, RUN_TIMEOUT_MS)
}
