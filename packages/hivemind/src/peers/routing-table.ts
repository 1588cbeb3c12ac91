import type { PeerId } from '@libp2p/interface'
import { equals } from 'uint8arrays/equals'
import { toString as stringOf } from 'uint8arrays/to-string'
import { type DHTId, ID_BYTES } from '../keys/dht-id.ts'
import { PeerIndex } from '../waggle-parts.ts'
import { KBucket, type Placed } from './k-bucket.ts'
import { type NodeContact, pointOf } from './node-contact.ts'

export interface RoutingTableInit {
  readonly ownId: DHTId

  /** Kademlia's k. */
  readonly bucketSize: number

  /** Kademlia's b: a full bucket that is not this node's own is split unless its depth is a multiple. */
  readonly depthModulo: number
}

/** A bucket of this depth has room for one id, which many peers may claim. */
const MAX_DEPTH = 8 * ID_BYTES

/** The result of adding a node. */
export interface Added {
  /** Whether the node is new to the table. */
  readonly isNew: boolean

  /** The node to ping, because a newcomer waits for its place. */
  readonly toPing?: NodeContact | undefined
}

/** Known nodes by their ids, as in Hivemind's routing table (Kademlia §2.2, §2.4, §4.2). */
export class RoutingTable {
  readonly #init: RoutingTableInit
  readonly #own: bigint
  readonly #index = new PeerIndex(pointOf)
  readonly #placed = new Map<string, Placed>()
  readonly #buckets: KBucket[]

  constructor(init: RoutingTableInit) {
    this.#init = init
    this.#own = numberOf(init.ownId)
    this.#buckets = [new KBucket({ lower: 0n, depth: 0, size: init.bucketSize })]
  }

  get size(): number {
    return this.#placed.size
  }

  /** All nodes in the table, in no particular order. */
  get contacts(): Iterable<NodeContact> {
    return Array.from(this.#placed.values(), ({ contact }) => contact)
  }

  get(peer: PeerId): NodeContact | undefined {
    return this.#placed.get(peer.toString())?.contact
  }

  /** Adds a node that was just seen. A peer has one node id: the last one counts. */
  add(contact: NodeContact): Added {
    const name = contact.id.toString()
    const known = this.#placed.get(name)

    if (known !== undefined && !equals(known.contact.nodeId, contact.nodeId)) {
      this.delete(contact.id)
      return this.add(contact)
    }

    const placed = known ?? { contact, number: numberOf(contact.nodeId) }
    const bucket = this.#bucketFor(name, placed)

    if (bucket.add(name, placed)) {
      this.#enter(name, placed)
      return { isNew: known === undefined }
    }

    bucket.replaceLater(name, placed)
    return { isNew: false, toPing: bucket.takeToPing() }
  }

  /** Removes a node that failed. */
  delete(peer: PeerId): void {
    const name = peer.toString()
    const placed = this.#placed.get(name)

    if (placed === undefined) {
      return
    }

    this.#placed.delete(name)
    this.#index.delete(placed.contact)
    const replacement = this.#bucketOf(placed.number).delete(name)

    if (replacement !== undefined) {
      this.#enter(replacement.contact.id.toString(), replacement)
    }
  }

  /** The nodes nearest to a point, nearest first. */
  nearest(target: DHTId, count: number): NodeContact[] {
    return this.#index.nearest(target, count) as NodeContact[]
  }

  #enter(name: string, placed: Placed): void {
    if (this.#placed.get(name) !== placed) {
      this.#placed.set(name, placed)
      this.#index.set(placed.contact)
    }
  }

  /** Finds the bucket of a node, and splits it until there is room or it may not be split. */
  #bucketFor(name: string, { number }: Placed): KBucket {
    let bucket = this.#bucketOf(number)

    while (bucket.isFull && !bucket.has(name) && this.#maySplit(bucket)) {
      this.#buckets.splice(this.#buckets.indexOf(bucket), 1, ...bucket.split())
      bucket = this.#bucketOf(number)
    }

    return bucket
  }

  #maySplit(bucket: KBucket): boolean {
    const isOwnOrBetween = bucket.contains(this.#own) || bucket.depth % this.#init.depthModulo !== 0
    return isOwnOrBetween && bucket.depth < MAX_DEPTH
  }

  /** Finds the bucket of an id by bisection: the buckets' ranges adjoin and cover all ids. */
  #bucketOf(number: bigint): KBucket {
    return this.#buckets.findLast(({ lower }) => lower <= number) as KBucket
  }
}

function numberOf(id: DHTId): bigint {
  return BigInt(`0x${stringOf(id, 'hex')}`)
}
