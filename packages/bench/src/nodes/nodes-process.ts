import type { StoreEntry } from '@waggle/dht'
import { Child, type ChildOptions, nodeCommand } from '../processes/child.ts'
import { totalOf } from '../workload/statistics.ts'
import type { NodesHandlers } from './nodes-main.ts'

/** A process with DHT nodes. It joins no network before it is told to start. */
export type NodesProcess = Child<NodesHandlers>

const COMMAND = nodeCommand(new URL('nodes-main.ts', import.meta.url))

export function nodesProcess(
  options: ChildOptions & { readonly host?: { command(command: readonly string[]): string[] } }
): NodesProcess {
  return new Child(options.host?.command(COMMAND) ?? COMMAND, options)
}

/** Stores entries from the first `from` nodes of each process; resolves with the number of acknowledged ones. */
export async function storeAll(
  processes: readonly NodesProcess[],
  entries: readonly StoreEntry[],
  from: number
): Promise<number> {
  const stored = processes.map((process, n) => {
    const share = entries.filter((_, i) => i % processes.length === n)
    return process.call('storeAll', { entries: share, from })
  })
  return totalOf(await Promise.all(stored), (count) => count)
}
