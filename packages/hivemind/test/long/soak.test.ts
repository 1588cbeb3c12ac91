import { describe, expect, it } from 'vitest'
import { HivemindDHT } from '../../src/index.ts'

/** Minutes of the test. */
const { WAGGLE_HIVEMIND_SOAK_MINUTES: MINUTES = '60' } = process.env
const MS = Number(MINUTES) * 60_000

const NODES = 8
const KEYS = 500

/** Milliseconds between two nodes that leave. */
const LIFE_MS = 5000

/** Bytes by which memory may grow after the first tenth. */
const MAX_GROWTH_BYTES: number = 128 * 1024 * 1024

/** Open streams of an idle node: kad-dht's and pings. */
const MAX_IDLE_STREAMS = 64

function streamsOf(nodes: readonly HivemindDHT[]): number {
  return nodes
    .flatMap(({ libp2p }) => libp2p.getConnections())
    .reduce((sum, { streams }) => sum + streams.length, 0)
}

/** A network of nodes, of which one after the other is replaced. */
class Population {
  readonly nodes: HivemindDHT[] = []
  #changedAtMs = performance.now()

  async grow(): Promise<void> {
    while (this.nodes.length < NODES) {
      this.nodes.push(await HivemindDHT.create({ initialPeers: this.nodes[0]?.multiaddrs }))
    }
  }

  async change(): Promise<void> {
    if (performance.now() - this.#changedAtMs > LIFE_MS) {
      this.#changedAtMs = performance.now()
      await this.nodes.splice(1, 1)[0]?.stop()
      await this.grow()
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()))
  }
}

/** Writes at one node and reads at another. Resolves with whether the values are equal. */
async function exchange(nodes: readonly HivemindDHT[], i: number): Promise<boolean> {
  const writer = nodes[i % nodes.length] as HivemindDHT
  const reader = nodes[(i * 3 + 1) % nodes.length] as HivemindDHT
  const key = `key ${i % KEYS}`
  const subkey = `writer ${i % 7}`
  await writer.store(key, i, { subkey, ttl: 30 })
  const found = await reader.get(key, { latest: true })
  return found?.isDictionary === true && found.value.get(subkey)?.value === i
}

describe('a network of Hivemind nodes', () => {
  it('goes on for an hour while nodes come and go', { timeout: MS + 120_000 }, async () => {
    const population = new Population()
    await population.grow()
    const startMs = performance.now()
    let early = 0
    let wrong = 0

    for (let i = 0; performance.now() - startMs < MS; i++) {
      wrong += Number(!(await exchange(population.nodes, i)))
      await population.change()
      early ||= performance.now() - startMs > MS / 10 ? process.memoryUsage().heapUsed : 0
    }

    const { nodes } = population
    expect(wrong).toBe(0)
    expect(process.memoryUsage().heapUsed - early).toBeLessThan(MAX_GROWTH_BYTES)
    expect(Math.max(...nodes.map((node) => node.stats().records))).toBeLessThanOrEqual(KEYS)
    await expect.poll(() => nodes.map((node) => node.stats().requests)).toEqual(nodes.map(() => 0))
    await expect.poll(() => streamsOf(nodes), { timeout: 20_000 }).toBeLessThan(MAX_IDLE_STREAMS)
    await population.stop()
  })
})
