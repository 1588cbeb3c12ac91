/**
 * Items that wait, peer by peer. When one is taken, its peer goes behind all others: neither the number of a peer's items
 * nor their size delays those of others by more than a turn.
 */
export class PeerRotation<T> {
  /** The items of each peer, in the order in which the peers are served. */
  readonly #waiting = new Map<string, T[]>()

  /** Peers with items. */
  get size(): number {
    return this.#waiting.size
  }

  has(peer: string): boolean {
    return this.#waiting.has(peer)
  }

  /** Adds an item behind the peer's others. */
  add(peer: string, item: T): void {
    const items = this.#waiting.get(peer)

    if (items === undefined) {
      this.#waiting.set(peer, [item])
    } else {
      items.push(item)
    }
  }

  /** Adds an item that was taken and is not done, before the peer's others. */
  putBack(peer: string, item: T): void {
    const items = this.#waiting.get(peer)

    if (items === undefined) {
      this.#waiting.set(peer, [item])
    } else {
      items.unshift(item)
    }
  }

  /** Returns the first peer, in the order in which they are served, that may be served now. */
  next(mayBeServed: (peer: string) => boolean): string | undefined {
    for (const peer of this.#waiting.keys()) {
      if (mayBeServed(peer)) {
        return peer
      }
    }

    return undefined
  }

  /** Takes the peer's first item, and puts the peer behind all others. */
  take(peer: string): T | undefined {
    const items = this.#waiting.get(peer)
    const item = items?.shift()
    this.#waiting.delete(peer)

    if (items !== undefined && items.length > 0) {
      this.#waiting.set(peer, items)
    }

    return item
  }
}
