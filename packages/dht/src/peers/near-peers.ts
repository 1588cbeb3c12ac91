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

  /** A number of each of them. */
  readonly #numbers: readonly number[]

  /** @param count peers to name */
  constructor(routing: Pick<Routing, 'nearest'>, key: Uint8Array, count: number) {
    this.#count = count
    this.#nearest = routing.nearest(pointOfKey(key), count + 1)
    this.#numbers = this.#nearest.map(({ id }) => numberOf(id))
  }

  /** Lists the nearest peers besides one. */
  besides(peer: PeerId): readonly PeerInfo[] {
    const leftOut = this.#leftOut(peer)
    return this.#nearest.filter((_, i) => i !== leftOut)
  }

  /** Returns a digest of the peers {@link besides} one: the exclusive or of their numbers. 0: there are none. */
  digestBesides(peer: PeerId): number {
    const leftOut = this.#leftOut(peer)
    const digest = this.#numbers.reduce(
      (digest, number, i) => digest ^ (i === leftOut ? 0 : number),
      0
    )
    return digest >>> 0
  }

  /** The place of the peer, or else that of the last one. */
  #leftOut(peer: PeerId): number {
    const place = this.#numbers.indexOf(numberOf(peer))
    return place < 0 ? this.#count : place
  }
}

/** Part of a peer's point, as a signed number. No two peers near each other share it by chance. */
function numberOf(peer: PeerId): number {
  return uint32At(pointOfPeer(peer), NUMBER_AT) | 0
}
