import type { PeerId, PeerInfo } from '@libp2p/interface'
import type { EncodedPeer } from './fields.ts'
import { MAX_PEERS_PER_MESSAGE, TARGET_MESSAGE_BYTES } from './limits.ts'
import { encodePeer } from './peer-codec.ts'

const NO_INDEX = -1

/** The closer peers of one reply, each once: those with addresses, as many as fit, without the requester. */
export class CloserPeers {
  readonly peers: EncodedPeer[] = []
  readonly requester: PeerId
  readonly #name: string
  readonly #indexes = new Map<PeerInfo, number>()
  #sizeBytes = 0

  constructor(requester: PeerId) {
    this.requester = requester
    this.#name = requester.toString()
  }

  indexesOf(closer: readonly PeerInfo[]): number[] {
    const indexes: number[] = []

    for (const peer of closer) {
      const index = this.#indexes.get(peer) ?? this.#addOnce(peer)

      if (index !== NO_INDEX) {
        indexes.push(index)
      }
    }

    return indexes
  }

  /** Adds a peer, and returns its index. A peer that got no index is not considered again. */
  #addOnce(peer: PeerInfo): number {
    const index = this.#isUseful(peer) ? this.#add(encodePeer(peer)) : NO_INDEX
    this.#indexes.set(peer, index)
    return index
  }

  #isUseful({ id, multiaddrs }: PeerInfo): boolean {
    return multiaddrs.length > 0 && id.toString() !== this.#name
  }

  #add(peer: EncodedPeer): number {
    if (
      this.peers.length === MAX_PEERS_PER_MESSAGE ||
      this.#sizeBytes + peer.length > TARGET_MESSAGE_BYTES
    ) {
      return NO_INDEX
    }

    this.#sizeBytes += peer.length
    return this.peers.push(peer) - 1
  }
}
