import { compare } from 'uint8arrays/compare'
import type { Contact } from '../interface.ts'
import { distance, type Point, pointOfPeer } from './key-space.ts'

export interface SearchInit {
  /** The point that the search closes in on. */
  target: Point

  /** How many nearest peers must have answered for the search to be done. */
  count: number

  /** Which peers are only asked when others are too few. */
  isAvoided?: (contact: Contact) => boolean
}

type State = 'new' | 'asked' | 'answered' | 'failed'

interface Candidate {
  readonly contact: Contact
  readonly distance: Uint8Array
  readonly isAvoided: boolean
  state: State
}

/**
 * Kademlia's node lookup as a state machine without any I/O: told what peers answered, it says
 * whom to ask next. It is done when the `count` nearest peers that have not failed have all
 * answered.
 */
export class Search {
  readonly #target: Point
  readonly #isAvoided: (contact: Contact) => boolean
  /** Nearest first, avoided peers after all others. */
  readonly #candidates: Candidate[] = []
  readonly #known = new Map<string, Candidate>()
  #count: number

  constructor({ target, count, isAvoided = () => false }: SearchInit) {
    this.#target = target
    this.#count = count
    this.#isAvoided = isAvoided
  }

  /** Learns of peers. Those already known are left as they are. */
  add(contacts: Iterable<Contact>): void {
    for (const contact of contacts) {
      if (!this.#known.has(nameOf(contact))) {
        this.#insert(contact)
      }
    }
  }

  /** The peer to ask now, which counts as asked from here on; undefined if there is none for now. */
  next(): Contact | undefined {
    const candidate = this.#nearest().find(({ state }) => state === 'new')

    if (candidate !== undefined) {
      candidate.state = 'asked'
    }

    return candidate?.contact
  }

  /** Takes in a peer's answer. */
  answered(contact: Contact, closer: Iterable<Contact> = []): void {
    this.#settle(contact, 'answered')
    this.add(closer)
  }

  /** Strikes out a peer, whether it answered before or not; the next nearest takes its place. */
  failed(contact: Contact): void {
    this.#settle(contact, 'failed')
  }

  /** Has the search go on until more peers have answered. */
  widen(count: number): void {
    this.#count = Math.max(this.#count, count)
  }

  /** Whether nobody is left to ask or to wait for. */
  get isDone(): boolean {
    return this.#nearest().every(({ state }) => state === 'answered')
  }

  /** The nearest peers that answered, nearest first, at most `count`. */
  answers(): Contact[] {
    return this.#nearest()
      .filter(({ state }) => state === 'answered')
      .map(({ contact }) => contact)
  }

  #nearest(): Candidate[] {
    const nearest: Candidate[] = []

    for (const candidate of this.#candidates) {
      if (nearest.length === this.#count) {
        break
      }

      if (candidate.state !== 'failed') {
        nearest.push(candidate)
      }
    }

    return nearest
  }

  #insert(contact: Contact): void {
    const candidate: Candidate = {
      contact,
      distance: distance(this.#target, pointOfPeer(contact.id)),
      isAvoided: this.#isAvoided(contact),
      state: 'new'
    }
    const position = this.#candidates.findIndex((other) => compareCandidates(candidate, other) < 0)

    this.#known.set(nameOf(contact), candidate)
    this.#candidates.splice(position < 0 ? this.#candidates.length : position, 0, candidate)
  }

  #settle(contact: Contact, state: State): void {
    const candidate = this.#known.get(nameOf(contact))

    if (candidate !== undefined) {
      candidate.state = state
    }
  }
}

function compareCandidates(a: Candidate, b: Candidate): number {
  return Number(a.isAvoided) - Number(b.isAvoided) || compare(a.distance, b.distance)
}

function nameOf(contact: Contact): string {
  return contact.id.toString()
}
