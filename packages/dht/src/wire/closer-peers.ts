import type { PeerId, PeerInfo } from '@libp2p/interface'
import { MAX_PEERS_PER_MESSAGE, TARGET_MESSAGE_BYTES } from './limits.ts'
import type { EncodedPeer } from './peer-codec.ts'
import { encodePeer } from './peer-codec.ts'

const NOWHERE = -1

/** The closer peers of one reply, each once: those with addresses, as many as fit, without the requester. */
export class CloserPeers {
  readonly peers: EncodedPeer[] = []
  readonly #requester: PeerId
  readonly #indexes = new Map<PeerInfo, number>()
  #sizeBytes = 0

  constructor(requester: PeerId) {
    this.#requester = requester
  }

  indexesOf(closer: readonly PeerInfo[]): number[] {
    const indexes: number[] = []

    for (const peer of closer) {
      const index = this.#indexes.get(peer) ?? this.#addOnce(peer)

      if (index !== NOWHERE) {
        indexes.push(index)
      }
    }

    return indexes
  }

  /** Adds a peer, and returns its index. A peer without one is not considered again. */
  #addOnce(peer: PeerInfo): number {
    const index = this.#isWorthIt(peer) ? this.#add(encodePeer(peer)) : NOWHERE
    this.#indexes.set(peer, index)
    return index
  }

  #isWorthIt({ id, multiaddrs }: PeerInfo): boolean {
    return multiaddrs.length > 0 && !id.equals(this.#requester)
  }

  #add(peer: EncodedPeer): number {
    const sizeBytes = peer.addresses.reduce((sum, { length }) => sum + length, peer.id.length)

    if (
      this.peers.length === MAX_PEERS_PER_MESSAGE ||
      this.#sizeBytes + sizeBytes > TARGET_MESSAGE_BYTES
    ) {
      return NOWHERE
    }

    this.#sizeBytes += sizeBytes
    return this.peers.push(peer) - 1
  }
}
