import { randomUUID } from 'node:crypto'
import { type DHT, getDHTTime } from '@waggle/dht'
import { lookAround, settle } from '../../peers/settle.ts'
import { type Random, sample, seededRandom } from '../../workload/random.ts'
import { memoryNode } from '../growth/real/memory-node.ts'
import { type Lie, lieAs } from './liar.ts'

/** What honest readers found. */
export interface Readings {
  readonly reads: number

  /** The value that was stored last. */
  readonly right: number
  readonly older: number
  readonly missing: number

  /** One that its owner never stored. */
  readonly forged: number
}

const TTL = 3600
const SEED = 7
const REQUEST_TIMEOUT_MS = 1000

/** Stores and reads that are under way at once. */
const AT_ONCE = 32

/** A network of real nodes, more and more of which lie. */
export class LyingNetwork {
  readonly #random: Random = seededRandom(SEED)
  readonly #liars: DHT[] = []
  #honest: DHT[] = []

  async start(nodes: number): Promise<void> {
    const started: DHT[] = []

    for (let i = 0; i < nodes; i++) {
      const [initial] = sample(started, 1, this.#random)
      const options = {
        listenOn: `/memory/${i}`,
        initialPeers: initial?.multiaddrs ?? [],
        requestTimeoutMs: REQUEST_TIMEOUT_MS,
        cache: false as const
      }
      started.push(await memoryNode(options, { isPinging: false }))
    }

    await settle(started, nodes - 1)

    for (const node of started) {
      await lookAround(node, randomUUID())
    }

    this.#honest = started
  }

  /** Has more nodes lie until there are so many. */
  async corrupt(lie: Lie, count: number): Promise<void> {
    const chosen = sample(this.#honest, count - this.#liars.length, this.#random)
    this.#honest = this.#honest.filter((node) => !chosen.includes(node))
    this.#liars.push(...chosen)

    for (const liar of this.#liars) {
      await lieAs(lie, liar, this.#liars)
    }
  }

  /** Stores so many records of their writers' own, replaces each, and has others read them. */
  async read(count: number): Promise<Readings> {
    const readings = { reads: count, right: 0, older: 0, missing: 0, forged: 0 }
    let left = count
    const work = async (): Promise<void> => {
      while (left-- > 0) {
        readings[await this.#readOne()]++
      }
    }

    await Promise.all(Array.from({ length: AT_ONCE }, work))
    return readings
  }

  async #readOne(): Promise<Exclude<keyof Readings, 'reads'>> {
    const [writer, reader] = sample(this.#honest, 2, this.#random) as [DHT, DHT]
    const key = `${randomUUID()} [owner:${writer.peerId}]`
    await writer.store(key, 'old', { ttl: TTL })
    const expirationTime = getDHTTime() + TTL + 1
    await writer.store(key, 'new', { expirationTime })
    const found = await reader.get(key, { latest: true })

    if (found === undefined) {
      return 'missing'
    }

    return found.value === 'old'
      ? 'older'
      : found.expirationTime === expirationTime
        ? 'right'
        : 'forged'
  }
}
