// A part of a network of real nodes, or clients that measure it.
import { randomUUID } from 'node:crypto'
import { DHT, type DHTOptions } from '@waggle/dht'
import { lookUp } from '../../nodes/settle.ts'
import { serve } from '../../processes/serve.ts'
import { collectedBytes, timed, usage } from '../../processes/usage.ts'
import { sample, seededRandom } from '../../workload/random.ts'
import { meanOf, totalOf } from '../../workload/statistics.ts'
import { Traffic } from './traffic.ts'

export type Operation = 'get' | 'get latest' | 'store'

type Start = Readonly<{ count: number; lookups: number; known: readonly string[] }>

const TTL = 3600
const VALUE = 'v'.repeat(100)

/** Time limit of joins and of steps that are not measured: a busy machine is slow. */
const PATIENCE_MS = 120_000

/** Initial peers of a newcomer, as of one whose user does not rely on a single peer. */
const INITIAL_PEERS = 2

const random = seededRandom(process.pid)
const nodes: DHT[] = []
let writer: DHT | undefined
const clients: { readonly node: DHT; readonly traffic: Traffic }[] = []
/** Connections opened by others. Those of a new node count before it has joined, too. */
let opened = 0

const handlers = {
  /**
   * Starts nodes one after another through two random known ones; resolves with their addresses and the times of their
   * joins.
   */
  async join({ count, known }: { count: number; known: readonly string[] }) {
    const joined = { addresses: [] as string[], tookMs: [] as number[] }

    for (let i = 0; i < count; i++) {
      const { elapsedMs, result: node } = await timed(() => create(known))
      nodes.push(node)
      known = [...known, ...node.multiaddrs.slice(0, 1).map(String)]
      joined.addresses.push(...known.slice(-1))
      joined.tookMs.push(elapsedMs)
    }

    return joined
  },

  /** Resources that all nodes of this process have used so far. */
  used: () => ({ cpuMs: usage().cpuMs, opened, dialsByTask: dialsByTask() }),

  /** Memory of all nodes of this process. */
  held: () => ({
    usedBytes: collectedBytes(),
    rssBytes: usage().rssBytes,
    connections: totalOf(nodes, ({ peers }) => peers.length),
    known: totalOf(nodes, (node) => node.stats().knownPeers)
  }),

  /** Starts a writer, and clients that look up random keys, in place of earlier ones. */
  async startClients({ count, lookups, known }: Start): Promise<void> {
    const earlier = [writer, ...clients.splice(0).map(({ node }) => node)]
    await Promise.all(earlier.map((node) => node?.stop()))
    // Bulk calls combine several writes in a message, and they are not counted.
    writer = await create(known, { clientMode: true })

    while (clients.length < count) {
      const traffic = new Traffic()
      const node = await create(known, { clientMode: true, metrics: traffic.metrics })

      for (let j = 0; j < lookups; j++) {
        await lookUp(node, randomUUID())
      }

      clients.push({ node, traffic })
    }
  },

  /** Runs operations one after another, one client after the other; resolves with means. */
  async measure({ operation, count }: { operation: Operation; count: number }) {
    const keys = Array.from({ length: count }, () => randomUUID())
    await (operation !== 'store' && storeAll(keys))
    await Promise.all(clients.map(({ traffic }) => traffic.take()))
    const dialsBefore = dials()
    const counts = await Array.fromAsync(keys.entries(), async ([i, key]) => {
      const { node, traffic } = clients[i % clients.length] as (typeof clients)[number]
      const { elapsedMs, result } = await timed(() => operate(node, operation, key))
      return { ...(await traffic.take()), elapsedMs, right: Number(result) }
    })

    return {
      ...{ operation, count, dials: (dials() - dialsBefore) / count },
      messages: meanOf(counts.map(({ messages }) => messages)),
      bytes: meanOf(counts.map(({ bytes }) => bytes)),
      hops: counts.map(({ hops }) => hops),
      tookMs: counts.map(({ elapsedMs }) => elapsedMs),
      right: totalOf(counts, ({ right }) => right)
    }
  }
}

export type NetworkHandlers = typeof handlers

serve(handlers)

async function create(known: readonly string[], options: DHTOptions = {}): Promise<DHT> {
  const initialPeers = sample(known, INITIAL_PEERS, random)
  const node = await DHT.create({ ...options, initialPeers, bootstrapTimeoutMs: PATIENCE_MS })
  node.libp2p.addEventListener('connection:open', ({ detail: { direction } }) => {
    opened += Number(direction === 'inbound')
  })
  return node
}

/** Dials of this process's nodes so far, by task. */
function dialsByTask(): Record<string, number> {
  const sums: Record<string, number> = {}

  for (const node of nodes) {
    for (const [task, dials] of Object.entries(node.stats().dialsByTask)) {
      sums[task] = (sums[task] ?? 0) + dials
    }
  }

  return sums
}

function dials(): number {
  return totalOf(clients, ({ node }) => node.stats().dials)
}

async function storeAll(keys: readonly string[]): Promise<void> {
  const entries = keys.map((key) => ({ key, value: VALUE, ttl: TTL }))
  const stored = await writer?.storeMany(entries, { timeoutMs: PATIENCE_MS })

  if (!stored?.every(Boolean)) {
    throw new Error('some values were not stored')
  }
}

async function operate(node: DHT, operation: Operation, key: string): Promise<boolean> {
  if (operation === 'store') {
    return node.store(key, VALUE, { ttl: TTL })
  }

  const found = await node.get(key, { latest: operation === 'get latest' })
  return found?.value === VALUE
}
