// A process with some nodes under load, which are replaced one after the other.
import { setTimeout as passed } from 'node:timers/promises'
import { DHT, type Key } from '@waggle/dht'
import { serve } from '../../processes/serve.ts'
import { collectedBytes } from '../../processes/usage.ts'
import { atOnce } from '../../workload/drive.ts'
import { any, type Random, seededRandom } from '../../workload/random.ts'

/** Seconds that values live, so that as many expire as are stored. */
const TTL = 60
const KEYS = 2000
const SUBKEYS = 50
const PAUSE_MS = 200

/** Milliseconds between the operations of each worker: memory can be compared only under a steady load. */
const OPERATION_EVERY_MS = 250

/** Time limit for timers that were set before the stop: those of libp2p and kad-dht take up to half a minute. */
const PATIENCE_MS = 40_000

/** Kinds of resources that connect the process with its parent. */
const PIPES = ['PipeWrap', 'TTYWrap']

/** Counts since the process began; `unhandled` are rejections and exceptions. */
const counts = { operations: 0, failures: 0, replaced: 0, unhandled: 0 }
let random: Random
let initialPeers: readonly string[]
let nodes: DHT[] = []

for (const event of ['unhandledRejection', 'uncaughtException']) {
  process.on(event, () => counts.unhandled++)
}

const handlers = {
  /** Starts nodes; resolves with their addresses. */
  async start(init: { count: number; initialPeers: string[]; seed: number }): Promise<string[]> {
    random = seededRandom(init.seed)
    initialPeers = init.initialPeers

    while (nodes.length < init.count) {
      nodes.push(await create())
    }

    return addresses()
  },

  /** Runs operations in several workers for some time. */
  async work({ forMs, workers }: { forMs: number; workers: number }): Promise<void> {
    const untilMs = performance.now() + forMs
    await atOnce(workers, async () => {
      await Promise.all([operate(), passed(OPERATION_EVERY_MS)])
      return performance.now() < untilMs
    })
  },

  /** Stops one node and starts another. */
  async replace(): Promise<void> {
    const gone = any(nodes, random)
    nodes = nodes.filter((node) => node !== gone)
    await gone.stop()
    nodes.push(await create())
    counts.replaced++
  },

  /** Stops all nodes, and waits until no resource is left. */
  async stop(): Promise<void> {
    await Promise.all(nodes.splice(0).map((node) => node.stop()))

    for (let waitedMs = 0; waitedMs < PATIENCE_MS && resources().length > 0; waitedMs += PAUSE_MS) {
      await passed(PAUSE_MS)
    }
  },

  /** Returns the counts, the memory in use, and the kind of each resource that keeps the process alive. */
  state: () => ({ ...counts, usedBytes: collectedBytes(), resources: resources() })
}

export type SoakHandlers = typeof handlers

serve(handlers)

function create(): Promise<DHT> {
  return DHT.create({ initialPeers: [...initialPeers, ...addresses()] })
}

function addresses(): string[] {
  return nodes.flatMap(({ multiaddrs }) => multiaddrs.map(String))
}

async function operate(): Promise<void> {
  const node = any(nodes, random)
  const operation = any(OPERATIONS, random)

  try {
    await operation(node, `key ${Math.floor(random() * KEYS)}`)
    counts.operations++
  } catch (error) {
    // A node that is being replaced aborts its pending calls.
    const isReplaced = !nodes.includes(node)
    const isAborted = error instanceof Error && error.name === 'AbortError'
    counts.failures += Number(!(isReplaced && isAborted))
  }
}

const OPERATIONS: readonly ((node: DHT, key: string) => Promise<unknown>)[] = [
  (node, key) => node.get(key),
  (node, key) => node.get(key),
  (node, key) => node.get(key, { latest: true }),
  (node, key) => node.store(key, 'v'.repeat(1 + random() * 1000), { ttl: TTL }),
  (node, key) => {
    const subkey = Math.floor(random() * SUBKEYS)
    return node.store(['dictionary', key.slice(0, 5)], key, { subkey, ttl: TTL })
  },
  (node, key) => node.delete(key, { ttl: TTL }),
  (node, key) => node.getMany(neighbours(key)),
  (node, key) => node.storeMany(neighbours(key).map((each) => ({ key: each, value: 1, ttl: TTL })))
]

function neighbours(key: string): Key[] {
  return Array.from({ length: 20 }, (_, i) => [key, i])
}

function resources(): string[] {
  return process.getActiveResourcesInfo().filter((name) => !PIPES.includes(name))
}
