import { Tally } from '../collections/tally.ts'

/** Requests of all peers as a multiple of their maximum, with those of peers that have few. */
const MAX_EXCESS = 3 / 2

export interface OpenRequestsInit {
  readonly maxRequests: number
  readonly maxRequestsPerPeer: number
}

/** Counts the requests in progress, by peer and in total, across streams and protocols. */
export class OpenRequests {
  readonly #init: OpenRequestsInit
  readonly #ofPeer = new Tally<string>()
  #count = 0

  constructor(init: OpenRequestsInit) {
    this.#init = init
  }

  /** Requests of all peers. */
  get count(): number {
    return this.#count
  }

  /**
   * Whether the peer has reached its limit. When all peers together have reached theirs, half of an equal share is the
   * limit of each, so that the slow requests of a few keep out no others.
   */
  isFull(peer: string): boolean {
    const { maxRequests, maxRequestsPerPeer } = this.#init
    const count = this.#ofPeer.get(peer)
    const share = maxRequests / (2 * (this.#ofPeer.size + 1))
    const isCrowded = this.#count >= maxRequests && count >= share
    return count >= maxRequestsPerPeer || isCrowded || this.#count >= MAX_EXCESS * maxRequests
  }

  begin(peer: string): void {
    this.#count++
    this.#ofPeer.add(peer)
  }

  end(peer: string): void {
    this.#count--
    this.#ofPeer.add(peer, -1)
  }
}
