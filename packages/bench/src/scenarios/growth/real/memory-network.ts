import { randomUUID } from 'node:crypto'
import { setTimeout as passed } from 'node:timers/promises'
import type { DHT } from '@waggle/dht'
import { lonelyAmong, lookAround, settle } from '../../../peers/settle.ts'
import { meanOf } from '../../../statistics.ts'
import { seededRandom } from '../../../workload/random.ts'
import { memoryNode } from './memory-node.ts'
import { Traffic, type TrafficCount } from './traffic.ts'
import { trafficMetrics } from './traffic-metrics.ts'

export type Operation = 'get' | 'get latest' | 'store'

/** What one operation costs, on average. */
export interface OperationFigures {
  readonly messages: number
  readonly bytes: number
  readonly hops: readonly number[]

  /** Of all nodes together, less what they take while idle. */
  readonly cpuMs: number
  readonly right: number
  readonly count: number
}

interface Client {
  readonly node: DHT
  readonly traffic: Traffic
}

const TTL = 3600
const VALUE = 'v'.repeat(100)
const SEED = 1
const PATIENCE_MS = 600_000
const ARRIVAL_PATIENCE_MS = 20_000
const PAUSE_MS = 5

/** Nodes that are the whole network, and clients that come to it later. */
export class MemoryNetwork {
  readonly nodes: DHT[] = []
  readonly #clients: Client[] = []
  readonly #random = seededRandom(SEED)

  /**
   * One after another, each by way of any that is there already, and when the one before knows its
   * surroundings: all share one thread, and what newcomers set going would pile up.
   */
  async start(count: number, { isPinging }: { isPinging: boolean }): Promise<void> {
    for (let i = 0; i < count; i++) {
      const options = { listenOn: `/memory/${i}`, initialPeers: this.#anyAddress() }
      const node = await memoryNode(options, { isPinging })
      this.nodes.push(node)
      await hasArrived(node, i)
    }

    await settle(lonelyAmong(this.nodes, count - 1), count - 1)
  }

  /** Of a node to others, on average, without clients. */
  get connections(): number {
    const servers = new Set(this.nodes.map(({ peerId }) => peerId.toString()))
    const connected = this.nodes.map(
      ({ peers }) => peers.filter((peer) => servers.has(peer.toString())).length
    )
    return meanOf(connected)
  }

  /** Resolves with how many connections a client has, on average, after so many searches each. */
  async startClients(count: number, searches: number): Promise<number> {
    for (let i = 0; i < count; i++) {
      const traffic = new Traffic()
      const node = await memoryNode(
        {
          clientMode: true,
          initialPeers: this.#anyAddress(),
          metrics: trafficMetrics(traffic)
        },
        { isPinging: false }
      )

      for (let j = 0; j < searches; j++) {
        await lookAround(node, randomUUID())
      }

      this.#clients.push({ node, traffic })
    }

    return meanOf(this.#clients.map(({ node }) => node.peers.length))
  }

  async measure(
    operation: Operation,
    { count, idleShare }: { count: number; idleShare: number }
  ): Promise<OperationFigures> {
    const keys = Array.from({ length: count }, () => randomUUID())

    if (operation !== 'store') {
      await this.#storeAll(keys)
    }

    await Promise.all(this.#clients.map(({ traffic }) => traffic.take()))
    const cpu = process.cpuUsage()
    const start = performance.now()
    const counts: TrafficCount[] = []
    let right = 0

    for (const [i, key] of keys.entries()) {
      const { node, traffic } = this.#client(i)
      right += Number(await operate(node, operation, key))
      counts.push(await traffic.take())
    }

    const { user, system } = process.cpuUsage(cpu)
    const idleMs = idleShare * (performance.now() - start)

    return {
      messages: meanOf(counts.map(({ messages }) => messages)),
      bytes: meanOf(counts.map(({ bytes }) => bytes)),
      hops: counts.map(({ hops }) => hops),
      cpuMs: ((user + system) / 1000 - idleMs) / count,
      right,
      count
    }
  }

  async #storeAll(keys: readonly string[]): Promise<void> {
    const entries = keys.map((key) => ({ key, value: VALUE, ttl: TTL }))
    const stored = await this.#anyNode()?.storeMany(entries, { timeoutMs: PATIENCE_MS })

    if (stored?.every(Boolean) !== true) {
      throw new Error('not everything was stored')
    }
  }

  #client(index: number): Client {
    const client = this.#clients[index % this.#clients.length]

    if (client === undefined) {
      throw new Error('no clients have been started')
    }

    return client
  }

  #anyNode(): DHT | undefined {
    return this.nodes[Math.floor(this.#random() * this.nodes.length)]
  }

  #anyAddress(): DHT['multiaddrs'] {
    return this.#anyNode()?.multiaddrs ?? []
  }
}

/** Its neighbours have told it of theirs. */
async function hasArrived(node: DHT, others: number): Promise<void> {
  const patience = AbortSignal.timeout(ARRIVAL_PATIENCE_MS)

  while (lonelyAmong([node], others).length > 0 && !patience.aborted) {
    await passed(PAUSE_MS)
  }
}

async function operate(node: DHT, operation: Operation, key: string): Promise<boolean> {
  return operation === 'store'
    ? node.store(key, VALUE, { ttl: TTL })
    : (await node.get(key, { latest: operation === 'get latest' }))?.value === VALUE
}
