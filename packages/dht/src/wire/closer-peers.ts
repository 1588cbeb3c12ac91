import type { PeerId, PeerInfo } from '@libp2p/interface'
import { MAX_PEERS_PER_MESSAGE, TARGET_MESSAGE_BYTES } from './limits.ts'
import type { EncodedPeer } from './peer-codec.ts'
import { encodePeer } from './peer-codec.ts'

const NOWHERE = -1

/** The peers of one reply, each once: without the one who asks, as many as fit, with addresses. */
export class CloserPeers {
  readonly peers: EncodedPeer[] = []
  readonly #asker: PeerId
  readonly #indexes = new Map<PeerInfo, number>()
  #sizeBytes = 0

  constructor(asker: PeerId) {
    this.#asker = asker
  }

  indexesOf(contacts: readonly PeerInfo[]): number[] {
    const indexes: number[] = []

    for (const contact of contacts) {
      const index = this.#indexes.get(contact) ?? this.#introduce(contact)

      if (index !== NOWHERE) {
        indexes.push(index)
      }
    }

    return indexes
  }

  /** Its place among the peers, or nowhere: then it is not looked at again. */
  #introduce(contact: PeerInfo): number {
    const index = this.#isWorthIt(contact) ? this.#add(encodePeer(contact)) : NOWHERE
    this.#indexes.set(contact, index)
    return index
  }

  #isWorthIt({ id, multiaddrs }: PeerInfo): boolean {
    return multiaddrs.length > 0 && !id.equals(this.#asker)
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
