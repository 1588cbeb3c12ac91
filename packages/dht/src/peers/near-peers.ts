import type { PeerId, PeerInfo } from '@libp2p/interface'
import { pointOfKey, pointOfPeer, uint32At } from './key-space.ts'
import type { Routing } from './routing.ts'

/** Largest digest of peers. */
export const MAX_PEERS_DIGEST: number = 2 ** 32 - 1

/** Place of four bytes of a peer's point: the last ones, since near peers share the first. */
const NUMBER_AT = 28

/**
 * The peers that a node knows near a key. A node names some to others, and tells others by a digest which ones it need
 * not be named.
 */
export class NearPeers {
  readonly #count: number

  /** One more than are named: no peer is named to itself. */
  readonly #nearest: readonly PeerInfo[]

  /** @param count peers to name */
  constructor(routing: Pick<Routing, 'nearest'>, key: Uint8Array, count: number) {
    this.#count = count
    this.#nearest = routing.nearest(pointOfKey(key), count + 1)
  }

  /** Lists the nearest peers besides one. */
  besides(peer: PeerId): readonly PeerInfo[] {
    const leftOut = numberOf(peer)
    return this.#nearest.filter(({ id }) => numberOf(id) !== leftOut).slice(0, this.#count)
  }

  /** Returns a digest of the peers {@link besides} one: the exclusive or of their numbers. 0: there are none. */
  digestBesides(peer: PeerId): number {
    const leftOut = numberOf(peer)
    let digest = 0
    let left = this.#count

    for (const { id } of this.#nearest) {
      const number = numberOf(id)

      if (number !== leftOut && left > 0) {
        digest ^= number
        left--
      }
    }

    return digest >>> 0
  }
}

/** Part of a peer's point, as a signed number. No two peers near each other share it by chance. */
function numberOf(peer: PeerId): number {
  return uint32At(pointOfPeer(peer), NUMBER_AT) | 0
}
