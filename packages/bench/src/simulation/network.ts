import { peerIdFromMultihash } from '@libp2p/peer-id'
import { create as multihash } from 'multiformats/hashes/digest'
import { type PeerInfo, RecordStore } from '../nodes/internals.ts'
import { any, type Random, sample } from '../workload/random.ts'
import { comparePoints, distanceOf, type Point, pointOf } from './points.ts'
import { routingTables, type TableShape } from './routing-tables.ts'

const SHA_256 = 0x12

export interface NetworkPlan {
  readonly size: number
  readonly shape: TableShape

  /** Share of the nodes that are gone, but still in the tables of others. */
  readonly deadShare: number
}

/** A peer that sends requests. */
export interface SimulatedPeer extends PeerInfo {
  readonly store: RecordStore

  /** Indexes of the nodes that it knows. */
  readonly table: Uint32Array
}

/** A peer that answers requests, too. */
export interface SimulatedNode extends SimulatedPeer {
  readonly point: Point
  readonly isDead: boolean
}

/** Nodes with full routing tables. */
export class SimulatedNetwork {
  readonly nodes: readonly SimulatedNode[]
  readonly #byId: ReadonlyMap<string, SimulatedNode>
  readonly #random: Random

  constructor({ size, shape, deadShare }: NetworkPlan, random: Random) {
    const peers = Array.from({ length: size }, () => randomPeer(random)).sort((a, b) =>
      comparePoints(a.point, b.point)
    )
    const points = peers.map(({ point }) => point)
    const tables = routingTables(points, shape, random)
    const dead = new Set(sample([...peers.keys()], Math.round(deadShare * size), random))

    this.nodes = peers.map((peer, index) => ({
      ...peer,
      isDead: dead.has(index),
      store: new RecordStore(),
      table: tables[index] ?? new Uint32Array()
    }))
    this.#byId = new Map(this.nodes.map((node) => [node.id.toString(), node]))
    this.#random = random
  }

  /** Creates a client that knows a random living node and the nodes that this one knows. */
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

  /** Returns the nodes that hold something under a key. */
  holdersOf(key: Uint8Array): ReadonlySet<SimulatedNode> {
    return new Set(this.nodes.filter(({ store }) => store.encoded(key) !== undefined))
  }

  /** Returns the living nodes that are nearest to a key, known or not. */
  trulyNearest(key: Uint8Array, count: number): SimulatedNode[] {
    const living = this.nodes.filter(({ isDead }) => !isDead)
    return nearestOf(living, pointOf(key), count)
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
