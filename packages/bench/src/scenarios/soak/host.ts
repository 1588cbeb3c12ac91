import { setTimeout as passed } from 'node:timers/promises'
import { DHT, type Found, type Key } from '@waggle/dht'
import { collectedBytes } from '../../processes/live-memory.ts'
import { type Random, sample, seededRandom } from '../../workload/random.ts'

/** What a process is in. */
export interface HostState {
  /** Heap and buffers, without garbage. */
  readonly usedBytes: number

  /** Timers, sockets and whatever else keeps a process busy, by kind. */
  readonly resources: Readonly<Record<string, number>>

  /** Since the process began. */
  readonly operations: number
  readonly failures: number
  readonly replaced: number

  /** Rejections that nobody handled, and exceptions that nobody caught. */
  readonly unhandled: number
}

export interface HostInit {
  readonly nodes: number
  readonly initialPeers: readonly string[]
  readonly seed: number
}

/** Short enough that as much expires as is stored. */
const TTL = 60

const KEYS = 2000
const SUBKEYS = 50
const PAUSE_MS = 200

/** As often at most each of those at work begins an operation: memory can only be compared under a steady load. */
const OPERATION_EVERY_MS = 250

/** Timers that had been set by then may have to run out: libp2p's and kad-dht's take up to half a minute. */
const PATIENCE_MS = 40_000

/** Some nodes in one process, which work, and of which one after the other is replaced. */
export class Host {
  readonly #random: Random
  readonly #init: HostInit
  #nodes: DHT[] = []
  #operations = 0
  #failures = 0
  #replaced = 0
  #unhandled = 0

  constructor(init: HostInit) {
    this.#init = init
    this.#random = seededRandom(init.seed)
    const onUnhandled = (): void => {
      this.#unhandled++
    }
    process.on('unhandledRejection', onUnhandled)
    process.on('uncaughtException', onUnhandled)
  }

  async start(): Promise<string[]> {
    for (let i = 0; i < this.#init.nodes; i++) {
      this.#nodes.push(await this.#create())
    }

    return this.#addresses()
  }

  /** So many operations at once, one after the other, for so long. */
  async work({ forMs, atOnce }: { forMs: number; atOnce: number }): Promise<void> {
    const untilMs = performance.now() + forMs
    const goOn = async (): Promise<void> => {
      while (performance.now() < untilMs) {
        await Promise.all([this.#operate(), passed(OPERATION_EVERY_MS)])
      }
    }

    await Promise.all(Array.from({ length: atOnce }, goOn))
  }

  /** Stops one node, and starts another in its place. */
  async replace(): Promise<string[]> {
    const [gone] = sample(this.#nodes, 1, this.#random)
    this.#nodes = this.#nodes.filter((node) => node !== gone)
    await gone?.stop()
    this.#nodes.push(await this.#create())
    this.#replaced++
    return this.#addresses()
  }

  async stop(): Promise<void> {
    await Promise.all(this.#nodes.splice(0).map((node) => node.stop()))

    for (let waitedMs = 0; waitedMs < PATIENCE_MS && resources().length > 0; waitedMs += PAUSE_MS) {
      await passed(PAUSE_MS)
    }
  }

  state(): HostState {
    return {
      usedBytes: collectedBytes(),
      resources: countsOf(resources()),
      operations: this.#operations,
      failures: this.#failures,
      replaced: this.#replaced,
      unhandled: this.#unhandled
    }
  }

  #create(): Promise<DHT> {
    return DHT.create({ initialPeers: [...this.#init.initialPeers, ...this.#addresses()] })
  }

  #addresses(): string[] {
    return this.#nodes.flatMap(({ multiaddrs }) => multiaddrs.map(String))
  }

  async #operate(): Promise<void> {
    const [node] = sample(this.#nodes, 1, this.#random)
    const [operation] = sample(OPERATIONS, 1, this.#random)
    const key = `key ${Math.floor(this.#random() * KEYS)}`

    try {
      await (node && operation?.(node, key, this.#random))
      this.#operations++
    } catch (error) {
      // A node that is being replaced ends what is under way on it.
      const isReplaced = node !== undefined && !this.#nodes.includes(node)
      const isEnded = error instanceof Error && error.name === 'AbortError'
      this.#failures += Number(!(isReplaced && isEnded))
    }
  }
}

type Operation = (
  node: DHT,
  key: string,
  random: Random
) => Promise<Found | undefined | boolean | readonly (boolean | Found | undefined)[]>

const OPERATIONS: readonly Operation[] = [
  (node, key) => node.get(key),
  (node, key) => node.get(key),
  (node, key) => node.get(key, { latest: true }),
  (node, key, random) => node.store(key, 'v'.repeat(1 + random() * 1000), { ttl: TTL }),
  (node, key, random) =>
    node.store(['dictionary', key.slice(0, 5)], key, {
      subkey: Math.floor(random() * SUBKEYS),
      ttl: TTL
    }),
  (node, key) => node.delete(key, { ttl: TTL }),
  (node, key) => node.getMany(neighbours(key)),
  (node, key) => node.storeMany(neighbours(key).map((each) => ({ key: each, value: 1, ttl: TTL })))
]

/** Without the ways to the process that started this one. */
function resources(): string[] {
  return process.getActiveResourcesInfo().filter((name) => !WAYS_OUT.includes(name))
}

const WAYS_OUT = ['PipeWrap', 'TTYWrap']

function neighbours(key: string): Key[] {
  return Array.from({ length: 20 }, (_, i) => [key, i])
}

function countsOf(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}

  for (const name of names) {
    counts[name] = (counts[name] ?? 0) + 1
  }

  return counts
}
