/** Several distant nodes in one process. */
import type { DHT } from '@waggle/dht'
import { answerCalls } from '../../calls/answer-calls.ts'
import { serveEcho } from './bare-round-trip.ts'
import { distantNode } from './distant-node.ts'
import { valueUnder } from './value-under.ts'

/** How many of a process's nodes join, or look around, at once: more only make each other wait. */
const AT_ONCE = 4

/** Kademlia's k: a node knows its surroundings when it knows so many. */
const SURROUNDINGS = 20
const MAX_ROUNDS_TO_SETTLE = 50

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

    await mapInGroups(Array.from({ length: count }), start)
    return nodes.map(({ multiaddrs }) => multiaddrs.map(String))
  },

  async settle(others) {
    const enough = Math.min(others, SURROUNDINGS)
    let lonely: readonly DHT[] = nodes

    for (let round = 0; lonely.length > 0; round++) {
      if (round === MAX_ROUNDS_TO_SETTLE) {
        throw new Error(`${lonely.length} nodes know fewer than ${enough} others`)
      }

      await mapInGroups(lonely, lookAround)
      lonely = nodes.filter((node) => node.stats().knownPeers < enough)
    }
  },

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

async function mapInGroups<T>(
  items: readonly T[],
  apply: (item: T) => Promise<void>
): Promise<void> {
  for (let i = 0; i < items.length; i += AT_ONCE) {
    await Promise.all(items.slice(i, i + AT_ONCE).map(apply))
  }
}

async function lookAround(node: DHT): Promise<void> {
  await node.findNearestPeers(node.peerId.toString(), {
    count: SURROUNDINGS,
    timeoutMs: PATIENCE_MS
  })
}
