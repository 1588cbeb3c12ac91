// A process with one or several DHT nodes, which run the functions that the parent process calls.
import {
  DHT,
  type DHTOptions,
  type Found,
  type Key,
  type Lifetime,
  type StoreEntry,
  type Subkey
} from '@waggle/dht'
import { z } from 'zod'
import { serve } from '../processes/serve.ts'
import { steadyTimeMs, usage } from '../processes/usage.ts'
import { totalOf } from '../workload/statistics.ts'
import { distantNode } from './distant-node.ts'
import { inGroups, settle } from './settle.ts'

/** A found value in JSON form: a dictionary is a list of subkeys with their values. */
export interface Seen {
  readonly value: unknown
  readonly expirationTime: number
}

/** A delivery of `watch`, with its time on the machine's steady clock. */
export interface Delivery {
  readonly key: string
  readonly found: Seen | undefined
  readonly atMs: number
}

export interface StartOptions {
  /** @default 1 */
  readonly count?: number
  readonly options: DHTOptions & { readonly initialPeers?: readonly string[] }

  /** Delay of all data that the nodes receive; none by default. */
  readonly oneWayMs?: number
}

/** Reads of one place, one after the other. */
export interface GetsToTime {
  readonly key: Key
  readonly subkey?: Subkey | undefined
  readonly count: number
  readonly maxAge?: number | undefined
}

/** A room as one node sees it, and its own entry there. */
interface Room {
  readonly room: ReturnType<typeof DHT.prototype.presence<typeof MEMBER>>
  readonly watch: ReturnType<Room['room']['watch']>
  membership: ReturnType<Room['room']['join']>
}

/** A member says when it joined, on the machine's steady clock. */
const MEMBER = z.object({ atMs: z.number() })

/** Nodes of a process that join at the same time: more would only slow each other down. */
const AT_ONCE = 4

/** Time limit of steps that are not measured: a busy machine is slow. */
const PATIENCE_MS = 300_000

const nodes: DHT[] = []
const deliveries: Delivery[] = []
const rooms: Room[] = []
const joinDelays: number[] = []
let failure: unknown

const handlers = {
  /** Starts nodes, the first one alone; resolves with the addresses of each. */
  async start({ count = 1, options, oneWayMs }: StartOptions): Promise<string[][]> {
    const create = async (initialPeers: DHTOptions['initialPeers'] = []): Promise<void> => {
      const all = { ...options, initialPeers }
      nodes.push(await (oneWayMs === undefined ? DHT.create(all) : distantNode(oneWayMs, all)))
    }
    await create(options.initialPeers)
    const known = options.initialPeers?.length ? options.initialPeers : node().multiaddrs
    await inGroups(Array.from({ length: count - 1 }), AT_ONCE, () => create(known))
    return nodes.map(({ multiaddrs }) => multiaddrs.map(String))
  },

  /** Resolves when each node knows all others, or the 20 around it. */
  settle: (others: number) => settle(nodes, others),

  store: ({ key, value, ...options }: StoreEntry & Lifetime) => node().store(key, value, options),
  delete: ({ key, ...options }: { key: Key; expirationTime: number }) =>
    node().delete(key, options),

  async get({ key, ...options }: { key: Key; latest: boolean }): Promise<Seen | undefined> {
    return seen(await node().get(key, options))
  },

  /** Reads a key, or one of its subkeys, one read after the other; resolves with the times of all. */
  async timeGets({ key, subkey, count, maxAge }: GetsToTime) {
    const timesMs: number[] = []

    for (let i = 0; i < count; i++) {
      const startMs = performance.now()
      const found = await node().get(key, { subkey, maxAge })
      timesMs.push(performance.now() - startMs)

      if (found === undefined) {
        throw new Error('a value was not found')
      }
    }

    return timesMs
  },

  /** Stores entries from the first few nodes; resolves with the number of acknowledged ones. */
  async storeAll({ entries, from }: { entries: readonly StoreEntry[]; from: number }) {
    const writers = nodes.slice(0, from)
    const stored = await Promise.all(
      writers.map((writer, n) => {
        const share = entries.filter((_, i) => i % writers.length === n)
        return writer.storeMany(share, { timeoutMs: PATIENCE_MS })
      })
    )
    return stored.flat().filter(Boolean).length
  },

  /** Reads all entries from every node; resolves with the number of wrong reads. */
  async missing(entries: readonly StoreEntry[]): Promise<number> {
    const reads = nodes.flatMap((reader) => entries.map((entry) => holds(reader, entry)))
    return (await Promise.all(reads)).filter((isRight) => !isRight).length
  },

  /** Starts to watch keys and records deliveries until the process ends. */
  watch(keys: readonly string[]): void {
    for (const key of keys) {
      follow(key).catch((error) => {
        failure ??= error
      })
    }
  },

  /** Makes each node join a room and watch its members. */
  async joinRoom(ttl: number): Promise<void> {
    for (const node of nodes) {
      const room = node.presence('room', MEMBER, { ttl })
      const watch = room.watch()
      watch.subscribe(({ changes }) => {
        for (const change of changes) {
          change.type === 'added' && joinDelays.push(steadyTimeMs() - change.found.value.atMs)
        }
      })
      rooms.push({ room, watch, membership: await joinedRoom(room) })
    }
  },

  /** Has one node leave the room and join it again. */
  async joinRoomAgain(index: number): Promise<void> {
    const each = rooms[index] as Room
    await each.membership.stop()
    each.membership = await joinedRoom(each.room)
  },

  /** Returns after how many milliseconds nodes saw others join, since it was called last. */
  takeJoinDelays: (): number[] => joinDelays.splice(0),

  /** Returns how many members each node sees in the room. */
  seenMembers: () => rooms.map(({ watch }) => watch.current?.size ?? 0),

  /** Returns this process's time, and what its nodes have sent for others. */
  served: () => ({
    cpuMs: usage().cpuMs,
    bytes: totalOf(nodes, (node) => node.stats().served.bytes),
    notices: totalOf(nodes, (node) => node.stats().served.changes)
  }),

  /** Returns the deliveries after the first `known` ones. */
  deliveries(known: number): Delivery[] {
    if (failure !== undefined) {
      throw failure
    }

    return deliveries.slice(known)
  },

  /** Blocks the process, as a computation or a slow disk does. */
  block(ms: number): void {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
  }
}

export type NodesHandlers = typeof handlers

serve(handlers)

async function joinedRoom(room: Room['room']): Promise<Room['membership']> {
  const membership = room.join({ atMs: steadyTimeMs() })
  await membership.held({ timeoutMs: PATIENCE_MS })
  return membership
}

function node(): DHT {
  return nodes[0] as DHT
}

async function follow(key: string): Promise<void> {
  for await (const { current } of node().watch(key, { renewals: true })) {
    deliveries.push({ key, found: seen(current), atMs: steadyTimeMs() })
  }
}

function seen(found: Found | undefined): Seen | undefined {
  return found?.value instanceof Map ? { ...found, value: [...found.value] } : found
}

/** Returns whether a node finds an entry. Reads the latest state of a dictionary, because others add to it. */
async function holds(reader: DHT, { key, value, subkey }: StoreEntry): Promise<boolean> {
  try {
    const found = await reader.get(key, { latest: subkey !== undefined })
    const entry =
      found?.value instanceof Map && subkey !== undefined ? found.value.get(subkey) : found
    return entry?.value === value
  } catch {
    return false
  }
}
