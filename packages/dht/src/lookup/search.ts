import type { PeerInfo } from '@libp2p/interface'
import { MAX_LOOKUP_CANDIDATES, MAX_LOOKUP_REQUESTS, SEARCH_WIDTH } from '../constants.ts'
import { type Point, pointOfPeer, roughDistance } from '../peers/key-space.ts'
import { type Candidate, isBefore, isKnownAt, type State } from './candidate.ts'
import type { PeerRank } from './peer-ranking.ts'

/** The parameters of a search. */
export interface SearchInit {
  /** The point that the search closes in on. */
  target: Point

  /** How many nearest peers must have answered for the search to be done. */
  count: number

  /**
   * Where a peer is in the key space.
   *
   * @default the point of its peer id, as kad-dht has it
   */
  pointOf?: (contact: PeerInfo) => Point

  /** Where it begins: so many of the peers known to be nearest to the target, nearest first. */
  nearest?: (target: Point, count: number) => readonly PeerInfo[]

  /** Says when a peer is asked that has been named, by another one or from the start. @default 'first' for all */
  rankOf?: (contact: PeerInfo, referrer?: PeerInfo) => PeerRank

  /** Peers kept in mind, whoever names them. @default MAX_LOOKUP_CANDIDATES */
  maxCandidates?: number

  /** Peers asked. @default MAX_LOOKUP_REQUESTS */
  maxRequests?: number

  /**
   * Peers that have to answer before so many suspects are not waited for.
   *
   * @default one more: two majorities share a peer
   */
  answersInsteadOf?: (suspects: number) => number
}

/** Referrals of one peer that are tried one after the other, besides the first. */
const MAX_OTHERS = 4

/**
 * Kademlia's node lookup as a state machine without any I/O: told what peers answered, it says
 * whom to ask next. It is done when the `count` nearest peers that have not failed have all
 * answered.
 */
export class Search {
  readonly #init: SearchInit
  /** Nearest first, avoided peers after all others. */
  readonly #candidates: Candidate[] = []
  /** Of the peers known to be nearest, only so many become candidates as are needed. */
  #known: readonly PeerInfo[] = []
  #taken = 0
  #usable = 0
  #asked = 0
  #hasBanned = false
  #count: number

  constructor(init: SearchInit) {
    this.#init = init
    this.#count = init.count
    this.#takeKnown()
  }

  /** Learns of peers, and says whether any of them is to be asked. Those already known are kept as they are while they may answer. */
  add(contacts: Iterable<PeerInfo>, referrer?: PeerInfo): boolean {
    let isAnyNear = false

    for (const contact of contacts) {
      const candidate = this.#add(contact, referrer)
      isAnyNear ||= candidate !== undefined && this.#isNear(candidate)
    }

    return isAnyNear
  }

  /** The peers that may be asked now, nearest first. The search needs all of them, in any order. */
  choices(): PeerInfo[] {
    return this.#nearestThat('new')
  }

  /** Takes note that a peer is being asked. */
  recordRequest(contact: PeerInfo): void {
    this.#asked++
    this.#settle(contact, 'asked')
  }

  /** Takes in a peer's response, and says whether it named any peers that are to be asked. */
  recordResponse(contact: PeerInfo, closer: Iterable<PeerInfo> = []): boolean {
    this.#settle(contact, 'answered')
    return this.add(closer, contact)
  }

  /** Strikes out a peer, whether it answered before or not; the next nearest takes its place. */
  recordFailure(contact: PeerInfo): void {
    const candidate = this.#candidateOf(contact)
    const other = candidate?.others.shift()

    if (candidate !== undefined && other !== undefined) {
      this.#replace(candidate, other)
      return
    }

    this.#settle(contact, 'failed')
    // Whether it was one of those or not: one more does no harm.
    this.#usable--
    this.#takeKnown()
  }

  /** Takes note that a peer which was asked makes no progress; the next nearest takes its place until it answers. */
  recordSuspicion(contact: PeerInfo): void {
    const candidate = this.#candidateOf(contact)

    if (candidate?.state === 'asked') {
      candidate.state = 'suspected'
      this.#usable--
      this.#takeKnown()
    }
  }

  /** Waits for a suspect no longer than for those that answer. */
  giveUp(contact: PeerInfo): void {
    const candidate = this.#candidateOf(contact)

    if (candidate !== undefined) {
      candidate.isGivenUp = true
    }
  }

  /** Leaves out a peer for good, whoever names it. */
  exclude(contact: PeerInfo): void {
    this.#settle(contact, 'excluded')
  }

  /** Gives all that failed another chance. */
  retry(): void {
    for (const candidate of this.#candidates) {
      if (candidate.state === 'failed') {
        candidate.state = 'new'
      }
    }
  }

  /** Has the search go on until more peers have answered. */
  widen(count: number): void {
    this.#count = Math.max(this.#count, count)
    this.#takeKnown()
  }

  /** Whether any peer was left out for being banned. */
  get hasBanned(): boolean {
    return this.#hasBanned
  }

  /** Whether nobody is left to ask or to wait for. */
  get isDone(): boolean {
    let [answered, suspects, waited] = [0, 0, 0]

    for (const { isGivenUp, state } of this.#candidates) {
      if (answered === this.#count) {
        break
      }

      if (state === 'asked' || (state === 'new' && this.#mayAsk)) {
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

  /** The nearest peers that answered, nearest first, at most `count`. */
  answers(): PeerInfo[] {
    return this.#nearestThat('answered')
  }

  /** The peers that may hold what is looked for, nearest first, and whether each has answered. */
  servers(): { readonly contact: PeerInfo; readonly hasResponded: boolean }[] {
    return this.#candidates
      .filter(({ state }) => state !== 'excluded')
      .sort((a, b) => a.distance - b.distance)
      .map(({ contact, state }) => ({ contact, hasResponded: state === 'answered' }))
  }

  /** Those in that state, of the `count` nearest candidates that have not failed and are not left out. */
  #nearestThat(wanted: 'new' | 'answered'): PeerInfo[] {
    const contacts: PeerInfo[] = []
    let left = this.#count

    for (const { contact, state } of this.#candidates) {
      if (left === 0) {
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

  /** Who has not been asked when no more may be is as good as unknown. */
  #counts(state: State): boolean {
    return state === 'new' ? this.#mayAsk : state === 'asked' || state === 'answered'
  }

  /**
   * Those taken before come again, and none that is left is nearer than they are. Most searches are
   * short and never need more than the first few.
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
      others: []
    }
    this.#insert(candidate)
    this.#forgetFarthest()
    return candidate
  }

  /**
   * A peer has been named once more. Whoever was first may have given addresses where nobody is, by mistake or
   * to hide it, so another's are kept for when these fail, and come first where these have failed before.
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
      others.unshift(known.contact)
      this.#replace(known, contact)
    } else {
      others.push(contact)
    }

    others.splice(MAX_OTHERS)
    return undefined
  }

  /** The peer is to be asked at these addresses. */
  #replace(candidate: Candidate, contact: PeerInfo): void {
    this.#candidates.splice(this.#candidates.indexOf(candidate), 1)
    candidate.contact = contact
    candidate.isAvoided = this.#isAvoided(contact)
    candidate.state = 'new'
    candidate.isGivenUp = false
    this.#insert(candidate)
  }

  #isAvoided(contact: PeerInfo, referrer?: PeerInfo): boolean {
    const rank = this.#init.rankOf?.(contact, referrer) ?? 'first'
    return rank !== 'first'
  }

  /** Roughly: those that have failed are counted, too. */
  #isNear(candidate: Candidate): boolean {
    return this.#candidates.indexOf(candidate) < this.#count
  }

  /** Those from which something has come, or is to come, stay. */
  #forgetFarthest(): void {
    const { maxCandidates = MAX_LOOKUP_CANDIDATES } = this.#init

    if (this.#candidates.length > maxCandidates) {
      const place = this.#candidates.findLastIndex(
        ({ state }) => state === 'new' || state === 'failed'
      )
      this.#candidates.splice(place, place < 0 ? 0 : 1)
    }
  }

  /** From behind, since peers mostly come nearest first. */
  #insert(candidate: Candidate): void {
    let place = this.#candidates.length

    while (place > 0 && isBefore(candidate, this.#candidates[place - 1])) {
      place--
    }

    if (place === this.#candidates.length) {
      this.#candidates.push(candidate)
    } else {
      this.#candidates.splice(place, 0, candidate)
    }
  }

  #settle(contact: PeerInfo, state: State): void {
    const candidate = this.#candidateOf(contact)

    if (candidate !== undefined) {
      candidate.state = state
    }
  }

  /** Mostly the very contact that the search gave out; else one of the same peer. */
  #candidateOf(contact: PeerInfo): Candidate | undefined {
    for (const candidate of this.#candidates) {
      if (candidate.contact === contact) {
        return candidate
      }
    }

    return this.#candidates.find(({ contact: { id } }) => id.equals(contact.id))
  }
}

function pointOfContact({ id }: PeerInfo): Point {
  return pointOfPeer(id)
}
