// A network of real nodes in one process, many of which watch one key.
import { setTimeout as passed } from 'node:timers/promises'
import type { DHT } from '@waggle/dht'
import { memoryNode, memoryNodes } from '../../nodes/memory-node.ts'
import { serve } from '../../processes/serve.ts'
import { any, seededRandom } from '../../workload/random.ts'
import { totalOf } from '../../workload/statistics.ts'

const KEY = 'hot'
const TTL = 3600

/** Time limit of one delivery: by then every watcher has polled its replicas twice. */
const PATIENCE_MS = 65_000

const random = seededRandom(3)
let nodes: readonly DHT[] = []
let loops = 0
let change = 0
let onDelivered = (_change: number): void => {}

const handlers = {
  /** Starts servers that notify at most `places` peers of a key, and their clients. */
  async start({ servers, clients, places }: { servers: number; clients: number; places: number }) {
    const options = { limits: { maxWatchersPerKey: places }, cache: false as const }
    const started = await memoryNodes(servers, random, options)
    nodes = started

    for (let i = 0; i < clients; i++) {
      const initialPeers = any(started, random).multiaddrs
      const client = { ...options, clientMode: true, initialPeers }
      nodes = [...nodes, await memoryNode(client)]
    }
  },

  /** Starts loops over the key on the last nodes, as many on each; resolves when each has its first value. */
  async watch({ on, each }: { on: number; each: number }): Promise<void> {
    await deliver(0)
    const first = Promise.withResolvers<void>()
    let left = on * each
    onDelivered = () => --left === 0 && first.resolve()

    for (const node of nodes.slice(-on)) {
      for (let i = 0; i < each; i++) {
        void follow(node)
      }
    }

    loops = on * each
    await first.promise
  },

  /** Changes the key repeatedly; resolves with all times from the call of store to a delivery. */
  async measure(changes: number) {
    const timesMs: number[] = []
    let missed = 0

    for (let i = 0; i < changes; i++) {
      const delivered = await deliver(loops)
      timesMs.push(...delivered)
      missed += loops - delivered.length
    }

    const stats = nodes.map((node) => node.stats())
    return {
      ...{ timesMs, missed },
      most: Math.max(...stats.map(({ watchedForOthers }) => watchedForOthers)),
      subscriptions: totalOf(stats, ({ watchedForOthers }) => watchedForOthers),
      forwarders: stats.filter(({ forwardedKeys }) => forwardedKeys > 0).length
    }
  }
}

export type HotHandlers = typeof handlers

serve(handlers)

async function follow(node: DHT): Promise<void> {
  for await (const { current } of node.watch(KEY)) {
    onDelivered(Number(current?.value))
  }
}

/** Stores a change; resolves with the times of its deliveries to `count` loops. */
async function deliver(count: number): Promise<number[]> {
  const timesMs: number[] = []
  const all = Promise.withResolvers<void>()
  const current = ++change
  const start = performance.now()
  onDelivered = (delivered) => {
    if (delivered === current && timesMs.push(performance.now() - start) === count) {
      all.resolve()
    }
  }
  const isStored = await (nodes[0] as DHT).store(KEY, current, { ttl: TTL + current })

  if (!isStored) {
    throw new Error('a change was not stored')
  }

  await (count > 0 && Promise.race([all.promise, passed(PATIENCE_MS, undefined, { ref: false })]))
  return timesMs
}
