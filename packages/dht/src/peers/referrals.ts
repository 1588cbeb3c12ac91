import type { PeerId, PeerInfo } from '@libp2p/interface'
import { Failures } from './avoidance.ts'

/** So many more strangers of those that a peer has named may be out of reach than within. */
const MAX_DOUBT = 8

/** Credit beyond this is not kept: who was right for long may be wrong from now on. */
const MAX_CREDIT = 8

/** So many peers are remembered. */
const MAX_NAMERS = 4096

/**
 * Remembers who has named strangers that can't be reached. What such a peer names is asked last from then
 * on: it may lead searches astray, one timeout after the other. It is not left out, since the
 * peer may as well be one that has not heard yet who is gone.
 */
export class ReferralReputation {
  /** Of strangers, where nobody answered: which says nothing of the peer, who may be elsewhere. */
  readonly #missed = new Failures()
  readonly #namers = new WeakMap<PeerInfo, string>()
  readonly #credits = new Map<string, number>()

  /** A peer has named a stranger. */
  named(stranger: PeerInfo, by: PeerId): void {
    if (!this.#namers.has(stranger)) {
      this.#namers.set(stranger, by.toString())
    }
  }

  /** A stranger was reached, or was not. */
  tried(stranger: PeerInfo, isReached: boolean): void {
    if (isReached && !this.#missed.isEmpty) {
      this.#missed.forget(placeOf(stranger))
    }

    const namer = this.#namers.get(stranger)

    if (namer !== undefined) {
      const credit = (this.#credits.get(namer) ?? 0) + (isReached ? 1 : -1)
      this.#credits.delete(namer)
      this.#credits.set(namer, Math.max(Math.min(credit, MAX_CREDIT), -2 * MAX_DOUBT))
      this.#forgetOldest()
    }
  }

  /** A stranger has not answered at these addresses. */
  missed(stranger: PeerInfo): void {
    this.#missed.add(placeOf(stranger))
  }

  /** Whether it was not there lately, at these addresses. */
  isMissed(stranger: PeerInfo): boolean {
    return !this.#missed.isEmpty && this.#missed.has(placeOf(stranger))
  }

  /** Whether others are to be asked first, for who has named it. */
  isDoubtful(contact: PeerInfo): boolean {
    if (this.#credits.size === 0) {
      return false
    }

    const namer = this.#namers.get(contact)
    return namer !== undefined && (this.#credits.get(namer) ?? 0) <= -MAX_DOUBT
  }

  #forgetOldest(): void {
    const [oldest] = this.#credits.keys()

    if (this.#credits.size > MAX_NAMERS && oldest !== undefined) {
      this.#credits.delete(oldest)
    }
  }
}

const places = new WeakMap<PeerInfo, string>()

/** A peer at certain addresses. */
function placeOf(contact: PeerInfo): string {
  const known = places.get(contact)

  if (known !== undefined) {
    return known
  }

  const place = [contact.id, ...contact.multiaddrs].join(' ')
  places.set(contact, place)
  return place
}
