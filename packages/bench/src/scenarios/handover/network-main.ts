// A network of real nodes in one process that holds records while others join.
import type { PeerId } from '@libp2p/interface'
import { DEFAULTS, type DHT, type DHTOptions, getDHTTime, type StoreEntry } from '@waggle/dht'
import { encodeRecord, plainRecord, recordKey } from '@waggle/record'
import { memoryNode, memoryNodes } from '../../nodes/memory-node.ts'
import { serve } from '../../processes/serve.ts'
import { type Point, pointOf } from '../../simulation/points.ts'
import { any, sample, seededRandom } from '../../workload/random.ts'
import { totalOf } from '../../workload/statistics.ts'
import { Ownership } from './ownership.ts'

export interface Start {
  readonly count: number
  readonly records: number
  readonly connections: DHTOptions['connections']
}

/** Seconds that records live: longer than the run. */
const TTL = 36_000
const VALUE = 'v'.repeat(100)

/** Time limit of calls that are not measured: a busy machine is slow. */
const PATIENCE_MS = 300_000

const random = seededRandom(9)
const expirationTime = getDHTTime() + TTL
let nodes: DHT[] = []
let entries: readonly StoreEntry[] = []
let options: DHTOptions = {}
let ownership = new Ownership([], 0)

const handlers = {
  /** Starts nodes and stores records. */
  async start({ count, records, connections }: Start): Promise<void> {
    options = { connections, cache: false }
    nodes = await memoryNodes(count, random, options)
    entries = Array.from({ length: records }, (_, i) => ({
      ...{ key: `record ${i}`, value: VALUE, expirationTime }
    }))
    const keys = entries.map(({ key }) => pointOf(recordKey(key)))
    ownership = new Ownership(keys, DEFAULTS.numReplicas)
    ownership.add(nodes.map(pointOfNode))
    const stored = await nodes[0]?.storeMany(entries, { timeoutMs: PATIENCE_MS })

    if (!stored?.every(Boolean)) {
      throw new Error('some records were not stored')
    }
  },

  /** Starts nodes at the same time, each through a random one; returns the number of records owed to them. */
  async join(count: number): Promise<number> {
    const newcomers = await Promise.all(
      Array.from({ length: count }, (_, i) =>
        memoryNode({
          ...options,
          listenOn: `/memory/${nodes.length + i}`,
          initialPeers: any(nodes, random).multiaddrs
        })
      )
    )
    nodes.push(...newcomers)
    return ownership.add(newcomers.map(pointOfNode))
  },

  /** Returns the number of records that nodes have sent each other so far, whether they were needed or not. */
  moved: (): number =>
    totalOf(nodes, (node) => totalOf(Object.values(node.stats().served.writes), (count) => count)),

  /** Returns the mean number of connected peers of a node. */
  connections: (): number => totalOf(nodes, ({ peers }) => peers.length) / nodes.length,

  /** Bytes of one record. All have as many. */
  recordBytes: (): number => encodeRecord(plainRecord(VALUE, expirationTime)).length,

  /** Reads all records from a random node; resolves with the number of those that it does not find. */
  async missing(): Promise<number> {
    const reader = any(nodes, random)
    const keys = entries.map(({ key }) => key)
    const found = await reader.getMany(keys, { timeoutMs: PATIENCE_MS })
    return keys.length - found.filter((each) => each?.value === VALUE).length
  },

  /** Inspects some records; resolves with the number of places where they should be, and of those where they are. */
  async inspect(count: number): Promise<{ places: number; held: number }> {
    const reader = any(nodes, random)
    let held = 0

    for (const record of sample([...entries.keys()], count, random)) {
      const key = entries[record]?.key ?? ''
      const { peers } = await reader.inspect(key, { timeoutMs: PATIENCE_MS })
      held += peers.filter(
        ({ peer, state }) => state === 'current' && ownership.isOwner(record, pointOfPeer(peer))
      ).length
    }

    return { places: count * DEFAULTS.numReplicas, held }
  }
}

export type HandoverHandlers = typeof handlers

serve(handlers)

function pointOfNode({ peerId }: DHT): Point {
  return pointOfPeer(peerId)
}

function pointOfPeer(id: PeerId): Point {
  return pointOf(id.toMultihash().bytes)
}
