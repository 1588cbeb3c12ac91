import type { PeerInfo } from '@libp2p/interface'

/** How much worse a peer is than one that is asked anyway, and is not late. */
const READY = 1
const NOT_CONNECTED = 2
const LATE = 3

/** So many questions of one turn go to one peer before it counts as busy. */
const FULL_TURN = 32

export interface PeerChoiceInit {
  /** Whether a peer can be asked without connecting first. */
  readonly isReady: (contact: PeerInfo) => boolean

  /** Whether a peer is slower than others just now. */
  readonly isLate: (contact: PeerInfo) => boolean
}

/**
 * Whom the lookups of one turn ask. Any of a key's nearest peers will do for the next question, so
 * those already asked in this turn are preferred: ten keys can often be had of two peers, in two
 * messages.
 */
export class PeerChoice {
  readonly #init: PeerChoiceInit
  readonly #questions = new Map<string, number>()

  constructor(init: PeerChoiceInit) {
    this.#init = init
  }

  /** Chooses among peers of which the nearest comes first, and counts the question. */
  choose(contacts: readonly PeerInfo[]): PeerInfo | undefined {
    const [first] = contacts
    const contact = contacts.length > 1 ? this.#best(contacts) : first

    if (contact !== undefined) {
      const name = contact.id.toString()
      this.#questions.set(name, (this.#questions.get(name) ?? 0) + 1)
    }

    return contact
  }

  #best(contacts: readonly PeerInfo[]): PeerInfo | undefined {
    let best: PeerInfo | undefined
    let bestRank = Number.POSITIVE_INFINITY

    for (const contact of contacts) {
      const rank = this.#rank(contact)

      if (rank < bestRank) {
        best = contact
        bestRank = rank
      }
    }

    return best
  }

  /** The lower the better; of equals the nearest is chosen. */
  #rank(contact: PeerInfo): number {
    const lateness = this.#init.isLate(contact) ? LATE : 0

    if (this.#isShared(contact)) {
      return lateness
    }

    return lateness + (this.#init.isReady(contact) ? READY : NOT_CONNECTED)
  }

  #isShared(contact: PeerInfo): boolean {
    const questions = this.#questions.get(contact.id.toString())
    return questions !== undefined && questions < FULL_TURN
  }
}
