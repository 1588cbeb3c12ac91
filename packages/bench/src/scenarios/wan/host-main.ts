/** Several distant nodes in one process. */
import type { DHT } from '@waggle/dht'
import { answerCalls } from '../../calls/answer-calls.ts'
import { inGroups, settle } from '../../peers/settle.ts'
import { serveEcho } from './bare-round-trip.ts'
import { distantNode } from './distant-node.ts'
import { valueUnder } from './value-under.ts'

/** How many of a process's nodes join at once: more only make each other wait. */
const AT_ONCE = 4

/** Who stores makes no difference to where things are stored; each has many connections to open. */
const STORERS = 2

/** Preparing is not measured, and may take long on a busy machine. */
const PATIENCE_MS = 300_000

export interface HostCalls {
  /** Resolves with the addresses of each node. */
  start(options: {
    count: number
    oneWayMs: number
    initialPeers: readonly string[]
  }): Promise<string[][]>

  /** Resolves when each node knows so many others, or the 20 around it if that is less. */
  settle(others: number): Promise<void>

  /** Stores a value under each key, from a few nodes; true if each was accepted. */
  storeAll(options: { keys: readonly string[]; ttl: number }): Promise<boolean>
}

const nodes: DHT[] = []

answerCalls<HostCalls>({
  async start({ count, oneWayMs, initialPeers }) {
    const start = async (): Promise<void> => {
      const node = await distantNode(oneWayMs, { initialPeers: [...initialPeers] })
      await serveEcho(node.libp2p)
      nodes.push(node)
    }

    await inGroups(Array.from({ length: count }), AT_ONCE, start)
    return nodes.map(({ multiaddrs }) => multiaddrs.map(String))
  },

  settle: (others) => settle(nodes, others),

  async storeAll({ keys, ttl }) {
    const storers = nodes.slice(0, STORERS)
    const stored = await Promise.all(
      storers.map((node, i) => {
        const share = keys.filter((_, j) => j % storers.length === i)
        const entries = share.map((key) => ({ key, value: valueUnder(key), ttl }))
        return node.storeMany(entries, { timeoutMs: PATIENCE_MS })
      })
    )

    return stored.flat().every(Boolean)
  }
})
