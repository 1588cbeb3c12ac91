import { fileURLToPath } from 'node:url'
import type { NodesHandlers } from '../../nodes/nodes-main.ts'
import { Child, type ChildOptions, nodeCommand } from '../../processes/child.ts'

/** Functions that a peer of any of the systems has. */
export type PeerHandlers = Pick<NodesHandlers, 'start' | 'store' | 'get'> & {
  /** Only of peers on Hivemind's wire. */
  timeCalls(params: { count: number; prefix: string }): { storeMs: number[]; getMs: number[] }
}

/** One peer in a process of its own. */
export type BenchPeer = Child<PeerHandlers>

/** A system whose peers run the workload among themselves. */
export interface Contestant {
  readonly name: string
  readonly command: readonly string[]
}

export const WAGGLE = 'Waggle'
export const HIVEMIND = '@waggle/hivemind'
export const PYTHON = 'Python Hivemind'

/** The environment variable that names a Python with hivemind, such as `npm run test:hivemind` installs. */
const PYTHON_VARIABLE = 'WAGGLE_HIVEMIND_PYTHON'

/** The systems that can run here. */
export function contestants(): Contestant[] {
  const python = process.env[PYTHON_VARIABLE]
  const script = fileURLToPath(new URL('hivemind-peer.py', import.meta.url))
  return [
    { name: WAGGLE, command: nodeCommand(new URL('../../nodes/nodes-main.ts', import.meta.url)) },
    { name: HIVEMIND, command: nodeCommand(new URL('hivemind-main.ts', import.meta.url)) },
    ...(python === undefined ? [] : [{ name: PYTHON, command: [python, script] }])
  ]
}

export function peerOf({ command }: Contestant, options: ChildOptions): BenchPeer {
  return new Child<PeerHandlers>(command, options)
}
