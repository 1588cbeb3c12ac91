import { Child, type ChildOptions, nodeCommand } from '../processes/child.ts'
import type { NodesHandlers } from './nodes-main.ts'

/** A process with DHT nodes. It joins nothing before it is told to start. */
export type NodesProcess = Child<NodesHandlers>

const COMMAND = nodeCommand(new URL('nodes-main.ts', import.meta.url))

export function nodesProcess(
  options: ChildOptions & { readonly host?: { command(command: readonly string[]): string[] } }
): NodesProcess {
  return new Child(options.host?.command(COMMAND) ?? COMMAND, options)
}
