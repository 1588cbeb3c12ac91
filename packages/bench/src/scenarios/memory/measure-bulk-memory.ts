import { collecting } from '../../processes/node-command.ts'
import { type Contestant, WAGGLE } from '../../systems/contestants.ts'
import type { BulkOperation } from '../../systems/handlers.ts'
import { Network } from '../../systems/network.ts'
import { KeyNumbers } from '../../workload/key-numbers.ts'

/** The most that a client needed at once for so many keys. */
export interface BulkMemory {
  readonly operation: BulkOperation
  readonly keys: number
  readonly bytes: number
}

const NODES_OF_PROCESSES = [3, 3]
const TIMEOUT_MS = 300_000

/** Starts a small network, and measures a client that works on so many keys. */
export async function measureBulkMemory(
  counts: readonly number[],
  { signal }: { readonly signal: AbortSignal }
): Promise<BulkMemory[]> {
  const contestant: Contestant = { ...WAGGLE, clientCommand: collecting(WAGGLE.clientCommand) }
  const network = await Network.start({ contestant, nodesOfProcesses: NODES_OF_PROCESSES, signal })
  const numbers = new KeyNumbers()
  const found: BulkMemory[] = []

  try {
    for (const count of counts) {
      const keys = numbers.take(count)

      for (const operation of ['storeMany', 'getMany'] as const) {
        const bytes = await network.client.call('bulkMemory', { operation, keys }, TIMEOUT_MS)
        found.push({ operation, keys: count, bytes })
      }
    }

    return found
  } finally {
    await network.stop()
  }
}
