import type { PeerInfo } from '@libp2p/interface'
import type { PeerBook } from '../peers/peer-book.ts'
import { coveringPeers } from './covering-peers.ts'

/** The order in which a peer is queried: before others, only when those are too few, or never. */
export type PeerRank = 'first' | 'last' | 'never'

/** Penalties of a peer, relative to one that is queried in this turn anyway and is not late. */
const READY = 1
const NOT_CONNECTED = 2
const LATE = 3

/** Requests of one turn to one peer before it counts as busy. */
const MAX_SHARED_REQUESTS = 64

export interface PeerRankingInit {
  readonly peers: Pick<PeerBook, 'isAvoided' | 'isBanned' | 'isLate' | 'recordReferral'>

  /** Whether a request to a peer needs no dial. */
  readonly isReady: (contact: PeerInfo) => boolean
}

/**
 * Decides which peers lookups query next. Banned peers are never queried, avoided ones after all others. Any of a
 * key's nearest peers is suitable for the next request, so few peers are queried in each turn of the event loop, and
 * those already queried in the turn are preferred: ten keys can often be read from three peers, in three messages.
 */
export class PeerRanking {
  readonly #init: PeerRankingInit
  /** Requests of this turn, by peer. */
  readonly #requests = new Map<string, number>()
  /** Peers that suit many lookups of this turn, the first one most. */
  #covering: readonly PeerInfo[] = []

  constructor(init: PeerRankingInit) {
    this.#init = init
  }

  /** Ranks a peer from a response, and records its referrer. */
  rankOf(contact: PeerInfo, referrer?: PeerInfo): PeerRank {
    const { peers } = this.#init

    if (referrer !== undefined) {
      peers.recordReferral(contact, referrer.id)
    }

    if (peers.isBanned(contact.id)) {
      return 'never'
    }

    return peers.isAvoided(contact) ? 'last' : 'first'
  }

  /** Forgets the previous turn. `choices` are the peers that each of this turn's lookups may query. */
  beginTurn(choices: readonly (readonly PeerInfo[])[] = []): void {
    const { isReady, peers } = this.#init
    this.#requests.clear()
    this.#covering = coveringPeers(
      choices,
      (contact) => isReady(contact) && !peers.isLate(contact.id)
    )
  }

  /** Chooses among peers in ascending distance, and counts the request. */
  choose(contacts: readonly PeerInfo[]): PeerInfo | undefined {
    const [first] = contacts
    const contact = contacts.length > 1 ? (this.#covered(contacts) ?? this.#best(contacts)) : first

    if (contact !== undefined) {
      this.count(contact)
    }

    return contact
  }

  /** Orders peers that are all queried now: late ones come last, whose replies nobody may wait for. */
  inOrder(contacts: readonly PeerInfo[]): readonly PeerInfo[] {
    const isLate = ({ id }: PeerInfo): boolean => this.#init.peers.isLate(id)
    return contacts.some(isLate)
      ? [...contacts.filter((contact) => !isLate(contact)), ...contacts.filter(isLate)]
      : contacts
  }

  /** Counts a request of this turn. */
  count({ id }: PeerInfo): void {
    const name = id.toString()
    this.#requests.set(name, (this.#requests.get(name) ?? 0) + 1)
  }

  #covered(contacts: readonly PeerInfo[]): PeerInfo | undefined {
    return this.#covering.find((peer) => contacts.includes(peer) && !this.#isBusy(peer))
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

  /** Ranks a peer: lower is better, and the nearest of equals is chosen. */
  #rank(contact: PeerInfo): number {
    const { isReady, peers } = this.#init
    const lateness = peers.isLate(contact.id) ? LATE : 0

    if (this.#isShared(contact)) {
      return lateness
    }

    return lateness + (isReady(contact) ? READY : NOT_CONNECTED)
  }

  #isShared(contact: PeerInfo): boolean {
    return this.#requests.has(contact.id.toString()) && !this.#isBusy(contact)
  }

  #isBusy({ id }: PeerInfo): boolean {
    return (this.#requests.get(id.toString()) ?? 0) >= MAX_SHARED_REQUESTS
  }
}
