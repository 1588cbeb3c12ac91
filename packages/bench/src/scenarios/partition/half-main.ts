/** Several DHT nodes in one process, which do what the process that started it calls for. */
import { DHT, type DHTOptions } from '@waggle/dht'
import { answerCalls } from '../../calls/answer-calls.ts'
import { type Entry, TTL } from './entries.ts'

export interface HalfCalls {
  /** Starts so many nodes; resolves with the addresses of the first of them. */
  start(init: { count: number; options: DHTOptions }): Promise<string[]>

  /** The least number of others that any of the nodes knows. */
  knownPeers(): number

  /** Stores each entry from one node after the other; resolves with how many were acknowledged. */
  write(entries: readonly Entry[]): Promise<number>

  /** Reads all entries from every node: pairs of a node and an entry that it does not find right. */
  missing(entries: readonly Entry[]): Promise<number>
}

const nodes: DHT[] = []

answerCalls<HalfCalls>({
  async start({ count, options }) {
    while (nodes.length < count) {
      const initialPeers = nodes[0]?.multiaddrs ?? options.initialPeers ?? []
      nodes.push(await DHT.create({ ...options, initialPeers }))
    }

    return (nodes[0]?.multiaddrs ?? []).map(String)
  },
  knownPeers: () => Math.min(...nodes.map((node) => node.stats().knownPeers)),
  async write(entries) {
    const stored = await Promise.all(
      entries.map((entry, i) => write(entry, nodes[i % nodes.length]))
    )
    return stored.filter(Boolean).length
  },
  async missing(entries) {
    const isRight = nodes.flatMap((node) => entries.map((entry) => finds(node, entry)))
    return (await Promise.all(isRight)).filter((right) => !right).length
  }
})

async function write({ key, value, subkey }: Entry, node: DHT | undefined): Promise<boolean> {
  const place = subkey === undefined ? {} : { subkey }
  return (await node?.store(key, value, { ...place, ttl: TTL })) === true
}

/** Of a dictionary, the newest state: the other half may have added to it. */
async function finds(node: DHT, { key, value, subkey }: Entry): Promise<boolean> {
  try {
    const found = await node.get(key, { latest: subkey !== undefined })
    const held =
      found?.value instanceof Map && subkey !== undefined ? found.value.get(subkey) : found
    return held?.value === value
  } catch {
    return false
  }
}
