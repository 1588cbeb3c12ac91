// A whole network of real nodes in one process, and clients that measure it.
import { randomUUID } from 'node:crypto'
import { setTimeout as passed } from 'node:timers/promises'
import type { DHT } from '@waggle/dht'
import { memoryNode, memoryNodes } from '../../nodes/memory-node.ts'
import { lookUp } from '../../nodes/settle.ts'
import { serve } from '../../processes/serve.ts'
import { collectedBytes, timed } from '../../processes/usage.ts'
import { any, seededRandom } from '../../workload/random.ts'
import { meanOf } from '../../workload/statistics.ts'
import { Traffic, type TrafficCount } from './traffic.ts'

type Operation = 'get' | 'get latest' | 'store'
type Load = Readonly<{ operation: Operation; count: number; idleShare: number }>

const TTL = 3600
const VALUE = 'v'.repeat(100)
const PATIENCE_MS = 600_000

const random = seededRandom(1)
const clients: { readonly node: DHT; readonly traffic: Traffic }[] = []
let nodes: readonly DHT[] = []

const handlers = {
  /** Resolves with the cost per node when all nodes know each other. */
  async start({ count, isPinging }: { count: number; isPinging: boolean }) {
    const usedBefore = collectedBytes()
    const residentBefore = process.memoryUsage.rss()
    const { elapsedMs } = await timed(async () => {
      nodes = await memoryNodes(count, random, { isPinging })
    })
    const usedBytes = (collectedBytes() - usedBefore) / count
    const residentBytes = (process.memoryUsage.rss() - residentBefore) / count
    return { tookMs: elapsedMs / count, usedBytes, residentBytes }
  },

  /** Measures the share of a core that all idle nodes take, and their connections without clients on average. */
  async idle(forMs: number) {
    const { elapsedMs, cpuMs } = await timed(() => passed(forMs))
    const servers = new Set(nodes.map(({ peerId }) => peerId.toString()))
    const connections = nodes.map(
      ({ peers }) => peers.filter((peer) => servers.has(peer.toString())).length
    )
    return { share: cpuMs / elapsedMs, connections: meanOf(connections) }
  },

  /** Starts clients and has each look up random keys; resolves with their connections on average. */
  async startClients({ count, lookups }: { count: number; lookups: number }): Promise<number> {
    while (clients.length < count) {
      const traffic = new Traffic()
      const initialPeers = any(nodes, random).multiaddrs
      const options = { clientMode: true, initialPeers, metrics: traffic.metrics }
      const node = await memoryNode(options, { isPinging: false })

      for (let j = 0; j < lookups; j++) {
        await lookUp(node, randomUUID())
      }

      clients.push({ node, traffic })
    }

    return meanOf(clients.map(({ node }) => node.peers.length))
  },

  /** Runs operations one after another, from one client after the other; resolves with means. Idling does not count. */
  async measure({ operation, count, idleShare }: Load) {
    const keys = Array.from({ length: count }, () => randomUUID())
    await (operation !== 'store' && storeAll(keys))
    await Promise.all(clients.map(({ traffic }) => traffic.take()))
    const counts: TrafficCount[] = []
    let right = 0

    const { elapsedMs, cpuMs } = await timed(async () => {
      for (const [i, key] of keys.entries()) {
        const { node, traffic } = clients[i % clients.length] as (typeof clients)[number]
        right += Number(await operate(node, operation, key))
        counts.push(await traffic.take())
      }
    })

    return {
      operation,
      messages: meanOf(counts.map(({ messages }) => messages)),
      bytes: meanOf(counts.map(({ bytes }) => bytes)),
      hops: counts.map(({ hops }) => hops),
      cpuMs: (cpuMs - idleShare * elapsedMs) / count,
      right,
      count
    }
  }
}

export type NetworkHandlers = typeof handlers

serve(handlers)

async function storeAll(keys: readonly string[]): Promise<void> {
  const entries = keys.map((key) => ({ key, value: VALUE, ttl: TTL }))
  const stored = await any(nodes, random).storeMany(entries, { timeoutMs: PATIENCE_MS })

  if (!stored.every(Boolean)) {
    throw new Error('some values were not stored')
  }
}

async function operate(node: DHT, operation: Operation, key: string): Promise<boolean> {
  return operation === 'store'
    ? node.store(key, VALUE, { ttl: TTL })
    : (await node.get(key, { latest: operation === 'get latest' }))?.value === VALUE
}
