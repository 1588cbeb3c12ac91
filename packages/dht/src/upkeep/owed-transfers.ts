/** Transfers remembered. */
const MAX_OWED = 200_000

/** Pending transfers to peers, by record. A hand-over that has failed in part resumes from these. */
export class OwedTransfers {
  readonly #byRecord = new Map<string, string[]>()
  readonly #peers = new Set<string>()
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Whether any transfer to a peer is pending. */
  has(peer: string): boolean {
    return this.#peers.has(peer)
  }

  /** The names of the peers to which a record must be sent. */
  to(record: string): readonly string[] {
    return this.#byRecord.get(record) ?? []
  }

  add(peer: string, record: string): void {
    this.#peers.add(peer)
    const peers = this.#byRecord.get(record) ?? []

    if (this.#size < MAX_OWED && !peers.includes(peer)) {
      this.#byRecord.set(record, [...peers, peer])
      this.#size++
    }
  }
}
