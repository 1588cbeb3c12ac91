import type { StoreEntry } from '@waggle/dht'
import { bundledCommand, Child, type ChildOptions, nodeCommand } from '../processes/child.ts'
import { totalOf } from '../workload/statistics.ts'
import type { NodesHandlers } from './nodes-main.ts'

/** A process with DHT nodes. It joins no network before it is told to start. */
export type NodesProcess = Child<NodesHandlers>

const MAIN = new URL('nodes-main.ts', import.meta.url)

export interface NodesProcessOptions extends ChildOptions {
  readonly host?: { command(command: readonly string[]): string[] }

  /** Runs the bundles of the libraries, which have to be made before. They start in a fraction of the time. */
  readonly isBundled?: boolean
}

export function nodesProcess({ host, isBundled, ...options }: NodesProcessOptions): NodesProcess {
  const command = isBundled ? bundledCommand(MAIN) : nodeCommand(MAIN)
  return new Child(host?.command(command) ?? command, options)
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
