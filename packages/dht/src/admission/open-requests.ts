export interface OpenRequestsInit {
  readonly maxRequests: number
  readonly maxRequestsPerPeer: number
}

/** Counts the requests in progress, by peer and in total, across streams and protocols. */
export class OpenRequests {
  readonly #init: OpenRequestsInit
  readonly #ofPeer = new Map<string, number>()
  #count = 0

  constructor(init: OpenRequestsInit) {
    this.#init = init
  }

  /** Requests of all peers. */
  get count(): number {
    return this.#count
  }

  /** Whether the peer has reached its limit, or all peers together have. */
  isFull(peer: string): boolean {
    const { maxRequests, maxRequestsPerPeer } = this.#init
    return this.#count >= maxRequests || this.#of(peer) >= maxRequestsPerPeer
  }

  begin(peer: string): void {
    this.#count++
    this.#ofPeer.set(peer, this.#of(peer) + 1)
  }

  end(peer: string): void {
    const left = this.#of(peer) - 1
    this.#count--

    if (left > 0) {
      this.#ofPeer.set(peer, left)
    } else {
      this.#ofPeer.delete(peer)
    }
  }

  #of(peer: string): number {
    return this.#ofPeer.get(peer) ?? 0
  }
}
