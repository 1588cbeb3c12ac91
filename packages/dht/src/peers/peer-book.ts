import type { PeerId, PeerInfo } from '@libp2p/interface'
import { dialRate } from '../admission/dial-rate.ts'
import type { TokenBucket } from '../admission/token-bucket.ts'
import {
  FIRST_AVOIDANCE_MS,
  FIRST_SUSPECT_MS,
  MAX_SUSPECT_MS,
  MIN_SUSPECT_MS
} from '../constants.ts'
import { DEFAULT_NODE_LIMITS } from '../node-limits.ts'
import { doubled } from '../timing/doubling.ts'
import { NEVER_MS } from './peer-record.ts'
import { PeerRecords } from './peer-records.ts'
import { isRefusal, isVacancy } from './refused-dials.ts'

/** Milliseconds of a peer's first ban. They double each time. */
export const FIRST_BAN_MS = 60_000

/** Maximum milliseconds of a ban. */
export const MAX_BAN_MS = 3_600_000

/** Milliseconds for which a peer that refuses connections is not dialled again if others can ask it. */
const REFUSAL_MEMORY_MS = 5000

/** Milliseconds for which a known peer counts as full after it refused a connection, or closed an idle one. */
const FULL_MEMORY_MS = 60_000

/** Milliseconds for which referrals to an undialable, unverified peer are ignored. */
const DIAL_MEMORY_MS = 300_000

/**
 * Whether lookups wait for a peer. `late` ones have made no progress for longer than they ever took, and are
 * replaced where others can; `silent` ones have let a whole request timeout pass without a response.
 */
export type Suspicion = 'none' | 'late' | 'silent'

export interface PeerBookInit {
  /** Dials per second to addresses from other peers. @default DEFAULTS.limits.maxDialsPerSecond */
  readonly maxDialsPerSecond?: number

  /** The bucket of such dials that all protocols share, instead of its own rate. */
  readonly dials?: TokenBucket

  /** Called with each response. */
  readonly onResponse?: (peer: PeerId) => void

  /** Called with each failure of a verified peer, refusals excluded. */
  readonly onFailure?: (peer: PeerId) => void

  /** Called with each peer at whose addresses no process listens. */
  readonly onVacancy?: (peer: PeerId) => void

  /** Called with each ban and its length. */
  readonly onBan?: (peer: PeerId, error: Error, forMs: number) => void

  /** Milliseconds of a monotonic clock. */
  readonly nowMs?: () => number
}

/** Records peers' behaviour, and decides which peers are avoided, banned or trusted (N8c, N9c, N9h). */
export class PeerBook {
  readonly records: PeerRecords = new PeerRecords()
  readonly #init: PeerBookInit
  readonly #nowMs: () => number
  readonly #dials: TokenBucket
  /** The first referrer of each unverified peer, by the object that the reply was decoded to. */
  readonly #referrers = new WeakMap<PeerInfo, PeerId>()
  #hasBans = false
  /** Time at which any peer was last full, in ms of the clock. */
  #fullAtMs = NEVER_MS

  constructor(init: PeerBookInit = {}) {
    const { maxDialsPerSecond = DEFAULT_NODE_LIMITS.maxDialsPerSecond, nowMs } = init
    this.#init = init
    this.#nowMs = nowMs ?? (() => performance.now())
    this.#dials = init.dials ?? dialRate(maxDialsPerSecond, this.#nowMs)
  }

  /** Whether the peer is banned for a violation of the protocol. */
  isBanned(peer: PeerId): boolean {
    return this.#hasBans && this.#isAhead(this.records.get(peer)?.bannedUntilMs)
  }

  /** Whether this node has its own evidence of the peer, beyond referrals. */
  isVerified(peer: PeerId): boolean {
    return this.records.get(peer)?.isVerified === true
  }

  /** Whether there is any connection to the peer. */
  isConnected(peer: PeerId): boolean {
    return this.records.get(peer)?.isConnected === true
  }

  /** Whether the peer is currently slower than others. */
  isLate(peer: PeerId): boolean {
    return this.records.get(peer)?.isLate === true
  }

  /**
   * Whether other peers are queried first: this one failed recently, was unreachable at these addresses, or has a
   * referrer whose peers are often unreachable.
   */
  isAvoided(contact: PeerInfo): boolean {
    const record = this.records.get(contact.id)

    if (record !== undefined && this.#isAhead(record.avoidedUntilMs)) {
      return true
    }

    const isUnreachable =
      record?.isVerified === false && record.isUnreachableAt(contact, this.#nowMs)
    return isUnreachable || this.#isReferrerDistrusted(contact)
  }

  /** Returns whether lookups wait for a peer. Failures of an unverified peer count against its addresses. */
  suspicionOf(contact: PeerInfo): Suspicion {
    const record = this.records.get(contact.id)

    if (record === undefined) {
      return 'none'
    }

    if (record.hasTimedOut || (!record.isVerified && record.isSilentAt(contact))) {
      return 'silent'
    }

    return record.isSuspect ? 'late' : 'none'
  }

  /**
   * Milliseconds without progress after which a peer is suspected: longer than its responses take (RFC 6298). An
   * unverified peer is suspected only if it was silent before, because its referrer may want to hide it.
   */
  suspectAfterMs(contact: PeerInfo, isConnected: boolean): number {
    const record = this.records.get(contact.id)

    if (record?.isVerified !== true) {
      return record?.isSilentAt(contact) ? MAX_SUSPECT_MS : Number.POSITIVE_INFINITY
    }

    const lateMs = record.responseTimes?.lateAfterMs ?? FIRST_SUSPECT_MS
    return isConnected ? Math.min(Math.max(lateMs, MIN_SUSPECT_MS), MAX_SUSPECT_MS) : MAX_SUSPECT_MS
  }

  /** Whether a peer could not be dialled recently, and has not responded since. */
  isUnreachable(peer: PeerId): boolean {
    const failedAtMs = this.records.get(peer)?.dialFailedAtMs ?? NEVER_MS
    return this.#isAhead(failedAtMs + DIAL_MEMORY_MS)
  }

  /** Whether there is no way to a peer at the moment: it could not be dialled, or has no room for a connection. */
  isOutOfReach(peer: PeerId): boolean {
    const refusedAtMs = this.records.get(peer)?.refusedAtMs ?? NEVER_MS
    const isRefusing = this.#isAhead(refusedAtMs + REFUSAL_MEMORY_MS) && !this.isConnected(peer)
    return isRefusing || this.isUnreachable(peer)
  }

  /**
   * Whether a peer that has responded before had no room for this node a short time ago. Of a peer that only others have
   * named, a refusal proves nothing.
   */
  isFull(peer: PeerId): boolean {
    const record = this.records.get(peer)
    return record?.isVerified === true && this.#isAhead(record.fullAtMs + FULL_MEMORY_MS)
  }

  /** Whether any peer had no room a short time ago, so that {@link isFull} is worth asking. */
  get isAnyFull(): boolean {
    return this.#isAhead(this.#fullAtMs + FULL_MEMORY_MS)
  }

  /** Records that a peer has closed an idle connection. Servers do so to clients only when they are full. */
  recordFull(peer: PeerId): void {
    this.#fullAtMs = this.#nowMs()
    this.records.update(peer, (record) => {
      record.fullAtMs = this.#fullAtMs
    })
  }

  /** Number of avoided peers, regardless of their addresses. */
  get numAvoided(): number {
    const records = [...this.records.values()]
    return records.filter(({ avoidedUntilMs }) => this.#isAhead(avoidedUntilMs)).length
  }

  /**
   * Whether this many dials to a peer are allowed now. Dials to unverified peers are counted, so that other peers
   * cannot direct this node at victims.
   */
  mayDial(peer: PeerId, dials: number): boolean {
    return this.isVerified(peer) || this.#dials.tryTake(dials, 1)
  }

  /** Records the outcome of a dial. It counts for the peer's referrer, unless a verified peer could not be dialled. */
  recordDial(contact: PeerInfo, isReached: boolean): void {
    const isCredited = isReached || !this.isVerified(contact.id)
    this.records.update(contact.id, (record) => {
      record.dialFailedAtMs = isReached ? NEVER_MS : this.#nowMs()

      if (isReached) {
        record.refusedAtMs = NEVER_MS
        record.removeUnreachable(contact)
      }
    })
    const referrer = isCredited ? this.#referrers.get(contact) : undefined

    if (referrer !== undefined) {
      this.records.update(referrer, (record) => record.addReferral(isReached))
    }
  }

  /** Records that a peer accepts no connections at the moment. */
  recordRefusedDial(peer: PeerId): void {
    this.recordFull(peer)
    this.records.update(peer, (record) => {
      record.refusedAtMs = record.fullAtMs
    })
  }

  /** Records the referrer of an unverified peer; the first one counts. */
  recordReferral(contact: PeerInfo, referrer: PeerId): void {
    if (!this.isVerified(contact.id) && !this.#referrers.has(contact)) {
      this.#referrers.set(contact, referrer)
    }
  }

  /** Records a response, even a late one, and its time if known. */
  recordResponse(peer: PeerId, tookMs?: number): void {
    const record = this.records.get(peer)

    if (tookMs !== undefined) {
      record?.addResponseTime(Math.min(tookMs, MAX_SUSPECT_MS))
    }

    if (record?.isLate || record?.isSilent || record?.isAvoided || record?.isUndialled) {
      this.records.update(peer, (changed) => changed.clearFailures())
    }

    this.#init.onResponse?.(peer)
  }

  /**
   * Records a failed request. A busy peer is spared for a moment. A failure of an unverified peer counts against
   * its addresses, because a referrer may have invented them. Requests that were sent before the last failure have
   * failed with it.
   */
  recordFailure(contact: PeerInfo, error?: Error, sentMs: number = this.#nowMs()): void {
    const failedAtMs = this.records.get(contact.id)?.failedAtMs ?? NEVER_MS

    if (error?.name === 'AbortError' || sentMs < failedAtMs) {
      return
    }

    const isSilence = error === undefined || error.name === 'TimeoutError'
    const { isVerified } = this.records.update(contact.id, (record) => {
      if (error?.name === 'BusyError') {
        record.avoidedUntilMs = this.#nowMs() + FIRST_AVOIDANCE_MS
      } else if (record.isVerified) {
        record.addFailure(this.#nowMs())
        record.hasTimedOut ||= isSilence
      } else {
        const isAnswer = isRefusal(error) || isVacancy(error)
        record.addUnreachable(contact, this.#nowMs(), isAnswer ? false : isSilence || undefined)
      }
    })

    if (isVerified && error?.name !== 'BusyError') {
      this.#init.onFailure?.(contact.id)
    }

    if (isVacancy(error)) {
      this.#init.onVacancy?.(contact.id)
    }
  }

  /** Records that a peer exceeded the hedging delay. */
  recordDelay(peer: PeerId): void {
    this.records.update(peer, (record) => {
      record.isLate = true
    })
  }

  /** Records a peer without progress. The addresses of an unverified one may be wrong. */
  recordSuspicion(peer: PeerId): void {
    this.records.update(peer, (record) => {
      record.isLate = true
      record.isSuspect ||= record.isVerified
    })
  }

  /** Bans a peer that violated the protocol: one minute at first, doubling to one hour. */
  ban(peer: PeerId, error: Error): void {
    this.#hasBans = true
    const forMs = doubled(FIRST_BAN_MS, this.records.get(peer)?.bans ?? 0, MAX_BAN_MS)
    this.records.update(peer, (record) => {
      record.bans++
      record.bannedUntilMs = this.#nowMs() + forMs
    })
    this.#init.onBan?.(peer, error, forMs)
  }

  #isReferrerDistrusted(contact: PeerInfo): boolean {
    const referrer = this.#referrers.get(contact)
    return referrer !== undefined && this.records.get(referrer)?.isDistrusted === true
  }

  #isAhead(untilMs: number = NEVER_MS): boolean {
    return untilMs !== NEVER_MS && untilMs > this.#nowMs()
  }
}
