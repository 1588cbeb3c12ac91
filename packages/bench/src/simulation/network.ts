import { peerIdFromMultihash } from '@libp2p/peer-id'
import { create as multihash } from 'multiformats/hashes/digest'
import { type PeerInfo, RecordStore } from '../nodes/internals.ts'
import { any, type Random, sample } from '../workload/random.ts'
import { comparePoints, distanceOf, type Point, pointOf } from './points.ts'
import { nearestIndexes, routingTables, type TableShape } from './routing-tables.ts'

const SHA_256 = 0x12

export interface NetworkPlan {
  readonly size: number
  readonly shape: TableShape

  /** Share of the nodes that are dead but still in the tables of others. */
  readonly deadShare: number
}

/** A peer that sends requests. */
export interface SimulatedPeer extends PeerInfo {
  readonly point: Point
  readonly store: RecordStore

  /** Indexes of the nodes in its table. */
  readonly table: Uint32Array
}

/** A peer that also responds to requests. */
export interface SimulatedNode extends SimulatedPeer {
  readonly isDead: boolean
}

/** Nodes with full routing tables. */
export class SimulatedNetwork {
  readonly nodes: readonly SimulatedNode[]
  readonly #points: readonly Point[]
  readonly #byId: ReadonlyMap<string, SimulatedNode>
  readonly #random: Random
  readonly #holders = new Map<string, Set<SimulatedNode>>()

  constructor({ size, shape, deadShare }: NetworkPlan, random: Random) {
    const peers = Array.from({ length: size }, () => randomPeer(random)).sort((a, b) =>
      comparePoints(a.point, b.point)
    )
    this.#points = peers.map(({ point }) => point)
    const tableOf = routingTables(this.#points, shape, random)
    const dead = new Set(sample([...peers.keys()], Math.round(deadShare * size), random))
    this.nodes = peers.map(
      (peer, i) => new Node(peer, { isDead: dead.has(i), table: () => tableOf(i) })
    )
    this.#byId = new Map(this.nodes.map((node) => [node.id.toString(), node]))
    this.#random = random
  }

  /** Creates a client that knows a random living node and the nodes in that node's table. */
  client(): SimulatedPeer {
    const node = any(this.nodes, this.#random)
    const table = Uint32Array.of(this.nodes.indexOf(node), ...node.table)
    return node.isDead
      ? this.client()
      : { ...randomPeer(this.#random), store: new RecordStore(), table }
  }

  nodeOf({ id }: PeerInfo): SimulatedNode {
    return this.#byId.get(id.toString()) as SimulatedNode
  }

  /** Returns the nodes of a peer's table that are nearest to a point, nearest first. */
  nearest({ table }: SimulatedPeer, target: Point, count: number): SimulatedNode[] {
    const known = Array.from(table, (index) => this.nodes[index] as SimulatedNode)
    return nearestOf(known, target, count)
  }

  /** Records that a node has accepted a record. */
  addHolder(key: Uint8Array, node: SimulatedNode): void {
    const name = Buffer.from(key).toString('latin1')
    this.#holders.set(name, (this.#holders.get(name) ?? new Set()).add(node))
  }

  /** Returns the nodes that hold a record of a key. */
  holdersOf(key: Uint8Array): ReadonlySet<SimulatedNode> {
    return this.#holders.get(Buffer.from(key).toString('latin1')) ?? new Set()
  }

  /** Returns the living nodes that are nearest to a key, known or not. */
  trulyNearest(key: Uint8Array, count: number): SimulatedNode[] {
    const near = nearestIndexes(this.#points, pointOf(key), MOST_PER_LIVING * count)
    const living = near.flatMap((index) => this.nodes[index] ?? []).filter(({ isDead }) => !isDead)
    return living.slice(0, count)
  }
}

/** Nodes of which at least one is alive, whatever the share of dead ones. */
const MOST_PER_LIVING = 16

/** A node whose table and store are created on demand: a large network has many that never need them. */
class Node implements SimulatedNode {
  readonly id: SimulatedNode['id']
  readonly multiaddrs: SimulatedNode['multiaddrs'] = []
  readonly point: Point
  readonly isDead: boolean
  readonly #makeTable: () => Uint32Array
  #table: Uint32Array | undefined
  #store: RecordStore | undefined

  constructor(
    { id, point }: PeerInfo & { point: Point },
    { isDead, table }: { isDead: boolean; table: () => Uint32Array }
  ) {
    this.id = id
    this.point = point
    this.isDead = isDead
    this.#makeTable = table
  }

  get table(): Uint32Array {
    this.#table ??= this.#makeTable()
    return this.#table
  }

  get store(): RecordStore {
    this.#store ??= new RecordStore()
    return this.#store
  }
}

/** Returns the nodes that are nearest to a point, nearest first. */
export function nearestOf(nodes: readonly SimulatedNode[], target: Point, count: number) {
  return nodes
    .map((node) => ({ node, distance: distanceOf(target, node.point) }))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, count)
    .map(({ node }) => node)
}

function randomPeer(random: Random): PeerInfo & { point: Point } {
  const digest = Uint8Array.from({ length: 32 }, () => Math.floor(random() * 256))
  const id = peerIdFromMultihash(multihash(SHA_256, digest))
  return { id, multiaddrs: [], point: pointOf(id.toMultihash().bytes) }
}
