import { DEFAULTS, type DHTOptions } from '@waggle/dht'
import { FEW_CONNECTIONS } from '../../nodes/memory-node.ts'

/** Connections that the nodes of a network keep. */
export interface Watermark {
  /** Connected servers above which some are disconnected. */
  readonly servers: number
  readonly connections: DHTOptions['connections']
}

/** Fewer connections than there are other nodes, and the default. */
export const WATERMARKS: readonly Watermark[] = [
  { servers: FEW_CONNECTIONS.high, connections: FEW_CONNECTIONS },
  { servers: DEFAULTS.connections.high, connections: DEFAULTS.connections }
]
