import type { PeerInfo } from '@libp2p/interface'

/** Peers from responses on the way to this node's neighbours. */
export class Candidates {
  readonly #contacts = new Map<string, PeerInfo>()
  readonly #asked = new Set<string>()

  constructor(contacts: readonly PeerInfo[]) {
    this.add(contacts)
  }

  get all(): Iterable<PeerInfo> {
    return this.#contacts.values()
  }

  /** Adds peers, except those added or queried before. */
  add(contacts: readonly PeerInfo[]): void {
    for (const contact of contacts) {
      const name = contact.id.toString()

      if (!this.#asked.has(name) && !this.#contacts.has(name)) {
        this.#contacts.set(name, contact)
      }
    }
  }

  unasked(contacts: readonly PeerInfo[]): PeerInfo[] {
    return contacts.filter(({ id }) => !this.#asked.has(id.toString()))
  }

  /** Records the queried peers. Unreachable ones are no longer candidates. */
  setAsked(contacts: readonly PeerInfo[], reached: readonly PeerInfo[]): void {
    for (const contact of contacts) {
      const name = contact.id.toString()
      this.#asked.add(name)

      if (!reached.includes(contact)) {
        this.#contacts.delete(name)
      }
    }
  }
}
