import type { PeerId } from '@libp2p/interface'
import { RecentMap } from '../collections/recent-map.ts'
import { inTime } from '../timing/in-time.ts'

/** The purpose of a peer's access. */
export type Purpose = 'connect' | 'write'

/**
 * Decides whether a peer may connect to this node, or store records here. The decision is remembered for {@link
 * ACCESS_MEMORY_MS}. An exception or a timeout counts as a refusal.
 */
export type AllowPeer = (peerId: PeerId, purpose: Purpose) => boolean | Promise<boolean>

/** Milliseconds for which a decision of `allowPeer` is remembered. */
export const ACCESS_MEMORY_MS = 10_000

/** Milliseconds that `allowPeer` may take. */
const MAX_ANSWER_MS = 3000

/** Decisions remembered. */
const MAX_DECISIONS = 4096

interface Decision {
  /** A promise until the application has decided. */
  isAllowed: boolean | Promise<boolean>
}

const shared = new WeakMap<AllowPeer, Access>()

/** Returns the shared cache of an `allowPeer`'s decisions: connections and protocols check the same peers. */
export function accessBy(allowPeer: AllowPeer | undefined): Access {
  const known = allowPeer && shared.get(allowPeer)
  const access = known ?? new Access(allowPeer)

  if (allowPeer !== undefined) {
    shared.set(allowPeer, access)
  }

  return access
}

/** Asks the application for its decisions, and caches them for a while. */
export class Access {
  readonly #allowPeer: AllowPeer | undefined
  readonly #decisions: RecentMap<string, Decision>

  constructor(allowPeer?: AllowPeer, nowMs: () => number = () => performance.now()) {
    this.#allowPeer = allowPeer
    this.#decisions = new RecentMap({
      maxSize: MAX_DECISIONS,
      maxAgeMs: ACCESS_MEMORY_MS,
      nowMs
    })
  }

  /** Whether every peer is allowed everything. */
  get isOpen(): boolean {
    return this.#allowPeer === undefined
  }

  /** Returns whether a peer is allowed: synchronously if the decision is cached or synchronous. Never rejects. */
  allows(peer: PeerId, purpose: Purpose): boolean | Promise<boolean> {
    if (this.#allowPeer === undefined) {
      return true
    }

    const name = `${purpose} ${peer}`
    return this.#decisions.get(name)?.isAllowed ?? this.#remember(name, this.#ask(peer, purpose))
  }

  #ask(peer: PeerId, purpose: Purpose): boolean | Promise<boolean> {
    try {
      const answer: unknown = this.#allowPeer?.(peer, purpose)
      return answer instanceof Promise
        ? inTime(answer, MAX_ANSWER_MS).then(
            (given) => given === true,
            () => false
          )
        : answer === true
    } catch {
      return false
    }
  }

  #remember(name: string, isAllowed: boolean | Promise<boolean>): boolean | Promise<boolean> {
    const decision: Decision = { isAllowed }
    this.#decisions.set(name, decision)

    if (isAllowed instanceof Promise) {
      isAllowed
        .then((settled) => {
          decision.isAllowed = settled
        })
        .catch(() => {
          // The promise never rejects.
        })
    }

    return isAllowed
  }
}
