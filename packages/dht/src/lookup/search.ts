import type { PeerInfo } from '@libp2p/interface'
import { MAX_LOOKUP_CANDIDATES, MAX_LOOKUP_REQUESTS, SEARCH_WIDTH } from '../constants.ts'
import { roughDistance } from '../peers/key-space.ts'
import {
  type Candidate,
  haveResponded,
  insert,
  isKnownAt,
  pointOfContact,
  type SearchServer,
  type State,
  serversAmong
} from './candidate.ts'
import type { SearchInit } from './search-init.ts'

/** Further referrals of one peer that are tried in turn. */
const MAX_OTHERS = 4

/** The distance to the nearest few peers varies most. */
const SLACK = 5
const NO_OTHERS: readonly PeerInfo[] = []

/**
 * Kademlia's node lookup as a state machine without I/O: it takes responses and chooses the peers to query next.
 * The search is done when the `count` nearest peers that have not failed have all responded.
 */
export class Search {
  readonly #init: SearchInit
  /** Nearest first, avoided peers after all others. */
  readonly #candidates: Candidate[] = []
  /** Known peers, nearest first. They become candidates only as they are needed. */
  #known: readonly PeerInfo[] = []
  #taken = 0
  #usable = 0
  #asked = 0
  #hasBanned = false

  /** Whether any peer has been queried again. */
  #isAgain = false
  #count: number

  constructor(init: SearchInit) {
    this.#init = init
    this.#count = init.count
    this.#takeKnown()
  }

  /**
   * Adds peers, and returns whether any of them should be queried. A known peer stays as it is while it may still
   * respond.
   */
  add(contacts: Iterable<PeerInfo>, referrer?: PeerInfo): boolean {
    let isAnyNear = false

    for (const contact of contacts) {
      const candidate = this.#add(contact, referrer)
      isAnyNear ||= candidate !== undefined && this.#isNear(candidate)
    }

    return isAnyNear
  }

  /** Lists the peers to query now, nearest first. The search needs all of them, in any order. */
  choices(): PeerInfo[] {
    const { maxRequests = MAX_LOOKUP_REQUESTS } = this.#init
    const unqueried = this.#nearestThat('new', maxRequests - this.#asked)
    return this.#isAgain ? [...this.#nearestThat('again'), ...unqueried] : unqueried
  }

  /** Whether there are any peers to query now. */
  get hasChoices(): boolean {
    return this.choices().length > 0
  }

  /** Records a request to a peer. */
  recordRequest(contact: PeerInfo): void {
    this.#asked++
    this.#settle(contact, 'asked')
  }

  /** Records a peer's response, and returns whether it contained any peers that should be queried. */
  recordResponse(contact: PeerInfo, closer: Iterable<PeerInfo> = []): boolean {
    this.#settle(contact, 'answered')
    return this.add(closer, contact)
  }

  /** Records that a peer failed, even if it has responded before. The next nearest takes its place. */
  recordFailure(contact: PeerInfo): void {
    const candidate = this.#candidateOf(contact)
    const [other, ...others] = candidate?.others ?? NO_OTHERS

    if (candidate !== undefined && other !== undefined) {
      candidate.others = others
      this.#replace(candidate, other)
      return
    }

    this.#settle(contact, 'failed')
    // The peer need not have counted as usable: one candidate too many is harmless.
    this.#usable--
    this.#takeKnown()
  }

  /** Records that a peer makes no progress. The next nearest takes its place until it responds. */
  recordSuspicion(contact: PeerInfo): void {
    const candidate = this.#candidateOf(contact)

    if (candidate?.state === 'asked') {
      candidate.state = 'suspected'
      this.#usable--
      this.#takeKnown()
    }
  }

  /** Records that a suspect makes progress again. */
  recordTrust(contact: PeerInfo): void {
    const candidate = this.#candidateOf(contact)

    if (candidate?.state === 'suspected') {
      candidate.state = 'asked'
      candidate.isGivenUp = false
      this.#usable++
    }
  }

  /** Stops waiting for a suspect once the others have responded. */
  giveUp(contact: PeerInfo): void {
    const candidate = this.#candidateOf(contact)

    if (candidate !== undefined) {
      candidate.isGivenUp = true
    }
  }

  /** Has a peer that has responded queried once more, in any case. */
  askAgain(contact: PeerInfo): void {
    this.#isAgain = true
    this.#settle(contact, 'again')
  }

  /** Excludes a peer for the whole search. */
  exclude(contact: PeerInfo): void {
    this.#settle(contact, 'excluded')
  }

  /** Allows all failed peers to be queried again. */
  retry(): void {
    for (const candidate of this.#candidates) {
      if (candidate.state === 'failed') {
        candidate.state = 'new'
      }
    }
  }

  /** Raises the number of peers that must respond. */
  widen(count: number): void {
    this.#count = Math.max(this.#count, count)
    this.#takeKnown()
  }

  /** Whether any peer was left out because it is banned. */
  get hasBanned(): boolean {
    return this.#hasBanned
  }

  /** Whether no peer is left to query or to wait for. */
  get isDone(): boolean {
    let [answered, suspects, waited] = [0, 0, 0]

    for (const { isGivenUp, state } of this.#candidates) {
      if (answered === this.#count) {
        break
      }

      if (state === 'asked' || state === 'again' || (state === 'new' && this.#mayAsk)) {
        return false
      }

      answered += Number(state === 'answered')
      suspects += Number(state === 'suspected')
      waited += Number(state === 'suspected' && !isGivenUp)
    }

    return suspects === 0 || this.#isEnough(answered, waited)
  }

  #isEnough(answered: number, suspects: number): boolean {
    const { answersInsteadOf = (count) => count + 1 } = this.#init
    return answered >= (suspects === 0 ? 1 : answersInsteadOf(suspects))
  }

  /** Lists the nearest peers that responded, nearest first, at most `count`. */
  answers(): PeerInfo[] {
    return this.#nearestThat('answered')
  }

  /** Whether a peer should know the nearest peers to the target. */
  isNeighbour(contact: PeerInfo): boolean {
    const { isNeighbour = () => true, target } = this.#init
    return isNeighbour(contact, target)
  }

  /** Whether a peer is near enough to the target to be one of its nearest. */
  isLikely(contact: PeerInfo): boolean {
    const { isNeighbour = () => true, target } = this.#init
    return isNeighbour(contact, target, Math.max(2 * this.#count, this.#count + SLACK))
  }

  /** Whether all of the nearest candidates are near enough for that. */
  get areLikely(): boolean {
    const farthest = this.#candidates.filter(({ state }) => this.#counts(state))[this.#count - 1]
    return farthest === undefined || this.isLikely(farthest.contact)
  }

  /** Lists the peers that may hold the key, nearest first, and whether each has responded. */
  servers(): SearchServer[] {
    return serversAmong(this.#candidates)
  }

  /** Whether the `count` nearest of the {@link servers} have responded, or all of fewer. */
  haveResponded(count: number): boolean {
    return haveResponded(this.#candidates, count)
  }

  /** Lists the peers in a state among the `count` nearest candidates that have neither failed nor been excluded. */
  #nearestThat(wanted: 'new' | 'again' | 'answered', most = this.#count): PeerInfo[] {
    const contacts: PeerInfo[] = []
    let left = this.#count

    for (const { contact, state } of this.#candidates) {
      if (left === 0 || contacts.length === most) {
        break
      }

      if (this.#counts(state)) {
        left--

        if (state === wanted) {
          contacts.push(contact)
        }
      }
    }

    return contacts
  }

  get #mayAsk(): boolean {
    return this.#asked < (this.#init.maxRequests ?? MAX_LOOKUP_REQUESTS)
  }

  /** Whether a candidate counts as one of the nearest. An unqueried one does not when no more may be queried. */
  #counts(state: State): boolean {
    const isQueried = state === 'asked' || state === 'answered' || state === 'again'
    return isQueried || (state === 'new' && this.#mayAsk)
  }

  /**
   * Adds known peers until there are enough. A wider query returns the same peers first, so none is skipped.
   * Most searches are short and need only the first few.
   */
  #takeKnown(): void {
    while (this.#usable < this.#count) {
      const contact = this.#known[this.#taken] ?? this.#moreKnown()

      if (contact === undefined) {
        break
      }

      this.#taken++
      this.#usable += Number(this.#add(contact)?.isAvoided === false)
    }
  }

  #moreKnown(): PeerInfo | undefined {
    const before = this.#known.length

    if (before >= SEARCH_WIDTH) {
      return undefined
    }

    const { nearest, target } = this.#init
    this.#known = nearest?.(target, before === 0 ? this.#count : SEARCH_WIDTH) ?? []
    return this.#known[this.#taken]
  }

  #add(contact: PeerInfo, referrer?: PeerInfo): Candidate | undefined {
    const { target, rankOf, pointOf = pointOfContact } = this.#init
    const distance = roughDistance(target, pointOf(contact))

    for (const known of this.#candidates) {
      if (known.distance === distance) {
        return this.#addAgain(known, contact, referrer)
      }
    }

    const rank = rankOf?.(contact, referrer)

    if (rank === 'never') {
      this.#hasBanned = true
      return undefined
    }

    const candidate: Candidate = {
      contact,
      distance,
      isAvoided: rank === 'last',
      state: 'new',
      isGivenUp: false,
      others: NO_OTHERS
    }
    insert(this.#candidates, candidate)
    this.#forgetFarthest()
    return candidate
  }

  /**
   * Adds a peer again from a further referral. The first referral may hold wrong addresses, by mistake or to hide
   * the peer, so further ones are kept in case it fails, and go first if its addresses have failed before.
   */
  #addAgain(
    known: Candidate,
    contact: PeerInfo,
    referrer: PeerInfo | undefined
  ): Candidate | undefined {
    const { state, others } = known
    const isOver = state === 'answered' || state === 'excluded'

    if (isOver || isKnownAt(contact, [known.contact, ...others])) {
      return undefined
    }

    const isAvoided = this.#isAvoided(contact, referrer)

    if (state === 'failed') {
      this.#usable++
      this.#replace(known, contact)
      return known
    }

    if (state === 'new' && known.isAvoided && !isAvoided) {
      known.others = [known.contact, ...others].slice(0, MAX_OTHERS)
      this.#replace(known, contact)
    } else {
      known.others = [...others, contact].slice(0, MAX_OTHERS)
    }

    return undefined
  }

  /** Replaces the addresses of a candidate. */
  #replace(candidate: Candidate, contact: PeerInfo): void {
    this.#candidates.splice(this.#candidates.indexOf(candidate), 1)
    candidate.contact = contact
    candidate.isAvoided = this.#isAvoided(contact)
    candidate.state = 'new'
    candidate.isGivenUp = false
    insert(this.#candidates, candidate)
  }

  #isAvoided(contact: PeerInfo, referrer?: PeerInfo): boolean {
    const rank = this.#init.rankOf?.(contact, referrer) ?? 'first'
    return rank !== 'first'
  }

  /** Whether a candidate is among the nearest. This is approximate: failed candidates count. */
  #isNear(candidate: Candidate): boolean {
    return this.#candidates.indexOf(candidate) < this.#count
  }

  /** Drops the farthest candidate if there are too many. A peer that was queried or has responded stays. */
  #forgetFarthest(): void {
    const { maxCandidates = MAX_LOOKUP_CANDIDATES } = this.#init

    if (this.#candidates.length > maxCandidates) {
      const place = this.#candidates.findLastIndex(
        ({ state }) => state === 'new' || state === 'failed'
      )
      this.#candidates.splice(place, place < 0 ? 0 : 1)
    }
  }

  #settle(contact: PeerInfo, state: State): void {
    const candidate = this.#candidateOf(contact)

    if (candidate !== undefined) {
      candidate.state = state
    }
  }

  /** Finds a candidate: usually the object that the search returned, otherwise one with the same id. */
  #candidateOf(contact: PeerInfo): Candidate | undefined {
    for (const candidate of this.#candidates) {
      if (candidate.contact === contact) {
        return candidate
      }
    }

    return this.#candidates.find(({ contact: { id } }) => id.equals(contact.id))
  }
}
