/** Transfers remembered. */
const MAX_OWED = 200_000

/**
 * The transfers that peers are still owed, by record: a hand-over that has failed in part resumes from
 * these.
 */
export class OwedTransfers {
  readonly #byRecord = new Map<string, string[]>()
  readonly #peers = new Set<string>()
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Whether a peer is owed anything. */
  has(peer: string): boolean {
    return this.#peers.has(peer)
  }

  /** The names of the peers that are owed a record. */
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
