import type { PeerInfo } from '@libp2p/interface'
import { peerIdFromMultihash } from '@libp2p/peer-id'
import { type FindReply, RecordStore, type StoreReply } from '@waggle/dht/lookup'
import type { DHTRecord } from '@waggle/record'
import { create as multihash } from 'multiformats/hashes/digest'
import { type Random, sample } from '../../../workload/random.ts'
import { comparePoints, distanceOf, type Point, pointOf } from './points.ts'
import { RoutingTables, type TableShape } from './routing-tables.ts'

const SHA_256 = 0x12

export interface SimulatedNetworkInit {
  readonly size: number
  readonly shape: TableShape

  /** This share of the nodes is gone, but others' tables still hold them. */
  readonly deadShare: number
  readonly random: Random
}

/** Somebody who asks. */
export interface SimulatedPeer extends PeerInfo {
  readonly store: RecordStore

  /** Whom it knows, by their indexes. */
  readonly table: Uint32Array
}

/** Somebody who answers, too. */
export interface SimulatedNode extends SimulatedPeer {
  readonly point: Point
  readonly isDead: boolean
}

/** Nodes with full routing tables. What they are asked they answer as real ones do. */
export class SimulatedNetwork {
  readonly nodes: readonly SimulatedNode[]
  readonly #byName: ReadonlyMap<string, SimulatedNode>
  readonly #random: Random

  /** By the keys' bytes as text. */
  readonly #holders = new Map<string, Set<SimulatedNode>>()

  constructor({ size, shape, deadShare, random }: SimulatedNetworkInit) {
    const peers = Array.from({ length: size }, () => randomPeer(random)).sort((a, b) =>
      comparePoints(a.point, b.point)
    )
    const points = peers.map(({ point }) => point)
    const tables = new RoutingTables(points, random).all(shape)
    const dead = new Set(sample([...peers.keys()], Math.round(deadShare * size), random))

    this.nodes = peers.map((peer, index) => ({
      ...peer,
      isDead: dead.has(index),
      store: new RecordStore(),
      table: tables[index] ?? new Uint32Array()
    }))
    this.#byName = new Map(this.nodes.map((node) => [node.id.toString(), node]))
    this.#random = random
  }

  /** A client that knows one living node, drawn at random, and whom that one knows. */
  client(): SimulatedPeer {
    const index = Math.floor(this.#random() * this.nodes.length)
    const node = this.#node(index)

    return node.isDead
      ? this.client()
      : {
          ...randomPeer(this.#random),
          store: new RecordStore(),
          table: Uint32Array.of(index, ...node.table)
        }
  }

  nodeOf({ id }: PeerInfo): SimulatedNode {
    const node = this.#byName.get(id.toString())

    if (node === undefined) {
      throw new Error(`nobody is called ${id}`)
    }

    return node
  }

  /** Those in a node's table that are nearest to a point, nearest first. */
  nearest({ table }: SimulatedPeer, target: Point, count: number): SimulatedNode[] {
    const nearest: { node: SimulatedNode; distance: number }[] = []

    for (const index of table) {
      const node = this.#node(index)
      const distance = distanceOf(target, node.point)
      let place = nearest.length

      while (place > 0 && distance < (nearest[place - 1]?.distance ?? 0)) {
        place--
      }

      if (place < count) {
        nearest.splice(place, 0, { node, distance })
        nearest.length = Math.min(nearest.length, count)
      }
    }

    return nearest.map(({ node }) => node)
  }

  /** What a node answers to a FIND. */
  find(
    node: SimulatedNode,
    key: Uint8Array,
    { asker, closerCount, isCloserAlways }: Asking & { isCloserAlways: boolean }
  ): FindReply {
    const isHeld = node.store.encoded(key) !== undefined
    const count = !isHeld || isCloserAlways ? closerCount : 0
    return {
      closer: this.#closer(node, key, { asker, closerCount: count }),
      ...(isHeld && { record: node.store.get(key) })
    }
  }

  /** What a node answers to a STORE. */
  store(
    node: SimulatedNode,
    key: Uint8Array,
    { asker, closerCount, write }: Asking & { write: DHTRecord }
  ): StoreReply {
    const applied = node.store.apply(key, write)
    this.#hold(node, key)
    return {
      outcome: applied.isAccepted ? 'accepted' : applied.reason,
      closer: this.#closer(node, key, { asker, closerCount })
    }
  }

  /** Who has been given something under a key. */
  holdersOf(key: Uint8Array): ReadonlySet<SimulatedNode> {
    return this.#holders.get(nameOf(key)) ?? new Set()
  }

  /** The living nodes that are nearest to a key of all, whoever knows of them. */
  trulyNearest(key: Uint8Array, count: number): SimulatedNode[] {
    const target = pointOf(key)
    return this.nodes
      .filter(({ isDead }) => !isDead)
      .map((node) => ({ node, distance: distanceOf(target, node.point) }))
      .sort((a, b) => a.distance - b.distance)
      .slice(0, count)
      .map(({ node }) => node)
  }

  #hold(node: SimulatedNode, key: Uint8Array): void {
    const name = nameOf(key)
    const holders = this.#holders.get(name) ?? new Set()
    this.#holders.set(name, holders.add(node))
  }

  #node(index: number): SimulatedNode {
    const node = this.nodes[index]

    if (node === undefined) {
      throw new RangeError(`there is no node ${index}`)
    }

    return node
  }

  #closer(node: SimulatedNode, key: Uint8Array, { asker, closerCount }: Asking): PeerInfo[] {
    return closerCount === 0
      ? []
      : this.nearest(node, pointOf(key), closerCount).filter((other) => other !== asker)
  }
}

interface Asking {
  readonly asker: SimulatedPeer
  readonly closerCount: number
}

function nameOf(key: Uint8Array): string {
  return Buffer.from(key).toString('latin1')
}

function randomPeer(random: Random): PeerInfo & { point: Point } {
  const digest = Uint8Array.from({ length: 32 }, () => Math.floor(random() * 256))
  const id = peerIdFromMultihash(multihash(SHA_256, digest))
  return { id, multiaddrs: [], point: pointOf(id.toMultihash().bytes) }
}
