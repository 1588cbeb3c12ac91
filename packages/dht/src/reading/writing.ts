import type { PeerInfo } from '@libp2p/interface'
import type { DHTRecord } from '@waggle/record'
import type { Lookup, LookupResponse } from '../lookup/lookup.ts'
import type { RecordChannel, StoreReply } from '../lookup/record-channel.ts'
import type { Search } from '../lookup/search.ts'
import { pointOfKey, pointOfPeer, roughDistance } from '../peers/key-space.ts'
import { NearPeers } from '../peers/near-peers.ts'
import type { Routing } from '../peers/routing.ts'
import type { RecordStore } from '../store/record-store.ts'
import type { CancellationToken } from '../timing/cancellation.ts'
import type { Reach } from './reach.ts'
import { WriteReplies } from './write-replies.ts'

export interface WritingInit {
  readonly key: Uint8Array
  readonly write: DHTRecord
  readonly search: Search
  readonly cancellation: CancellationToken
  readonly node: {
    readonly channel: RecordChannel
    readonly numReplicas: number
    readonly routing: Routing
    readonly store: RecordStore
  }

  /** Takes note of who responds; undefined: nobody wants to know. */
  readonly reach?: Reach | undefined
}

/** A peer's reply to the write, or, without an outcome, to the question which peers are nearer. */
type Reply = StoreReply | (LookupResponse & { readonly outcome?: undefined })

/**
 * Sends a write to the nearest peers that respond (N6). The lookup carries the write: a peer names nearer ones as it
 * responds. Only a peer too far from the key to be one of the nearest is asked for nearer ones alone, since it would
 * have to hand over what it held.
 */
export class Writing implements Lookup<Reply> {
  readonly search: Search
  readonly cancellation: CancellationToken
  readonly parallelism: number
  readonly isHedged = false
  readonly isForAll = true
  readonly replies: WriteReplies
  readonly #init: WritingInit
  readonly #near: NearPeers

  /** Names of the peers that were asked for nearer ones alone, and of those that are sent the write after all. */
  readonly #unsent = new Set<string>()
  readonly #resent = new Set<string>()

  constructor(init: WritingInit) {
    const { cancellation, key, node, search, write } = init
    this.#init = init
    this.search = search
    this.cancellation = cancellation
    this.parallelism = node.numReplicas
    this.replies = new WriteReplies(write, node.store)
    this.#near = new NearPeers(node.routing, key, node.numReplicas)
  }

  ask(contact: PeerInfo, cancellation: CancellationToken): Promise<Reply> {
    return this.search.isLikely(contact) || this.#resent.has(contact.id.toString())
      ? this.#send(contact, cancellation)
      : this.#sendIfNearest(contact, cancellation)
  }

  take(contact: PeerInfo, reply: Reply | undefined, error?: Error): boolean {
    this.#init.reach?.record(contact, reply)

    if (reply !== undefined && reply.outcome === undefined) {
      this.#unsent.add(contact.id.toString())
    } else if (!this.replies.take(contact, reply, error)) {
      this.search.recordFailure(contact)
    }

    return false
  }

  /** Sends the write to those of the nearest peers that are so only because nearer ones failed after they were asked. */
  continues(): boolean {
    if (this.#unsent.size === 0) {
      return false
    }

    const rest = this.search.answers().filter(({ id }) => this.#unsent.has(id.toString()))

    for (const contact of rest) {
      this.#unsent.delete(contact.id.toString())
      this.#resent.add(contact.id.toString())
      this.search.askAgain(contact)
    }

    return rest.length > 0
  }

  #send(contact: PeerInfo, cancellation: CancellationToken): Promise<StoreReply> {
    const { key, node, write } = this.#init
    const { channel, numReplicas } = node
    return channel.store(contact, key, write, {
      ...{ cancellation, near: this.#near },
      closerCount: numReplicas,
      isWinnerWanted: true
    })
  }

  async #sendIfNearest(contact: PeerInfo, cancellation: CancellationToken): Promise<Reply> {
    const { key, node, write } = this.#init
    const { channel, numReplicas: closerCount } = node
    // The record does not matter, and may be large: one entry of it is enough.
    const subkeys = [...write.subkeys.keys()].slice(0, 1)
    const options = { cancellation, closerCount, isCloserAlways: true, subkeys }
    const { closer, isPlain = false } = await channel.find(contact, key, options)
    const own = roughDistance(pointOfKey(key), pointOfPeer(contact.id))
    const nearer = closer.filter(({ id }) => roughDistance(pointOfKey(key), pointOfPeer(id)) < own)
    const isNearest = nearer.length < closerCount && !cancellation.isCancelled

    if (!isNearest) {
      return { closer, isPlain }
    }

    // Whether the peer then takes the write or not, it has named these.
    this.search.add(closer, contact)
    return this.#send(contact, cancellation)
  }
}
