import type { PeerId, PeerInfo } from '@libp2p/interface'
import { TokenBucket } from '../admission/token-bucket.ts'
import {
  FIRST_AVOIDANCE_MS,
  FIRST_SUSPECT_MS,
  MAX_SUSPECT_MS,
  MIN_SUSPECT_MS
} from '../constants.ts'
import { DEFAULT_NODE_LIMITS } from '../node-limits.ts'
import { doublingMs, NEVER_MS } from './peer-record.ts'
import { PeerRecords } from './peer-records.ts'
import { isRefusal, isVacancy } from './refused-dials.ts'

/** Milliseconds for which a peer is banned that has violated the protocol once; they double each time. */
export const FIRST_BAN_MS = 60_000

/** Milliseconds for which any peer is banned at most. */
export const MAX_BAN_MS = 3_600_000

/** Milliseconds for which an unverified peer that could not be dialled is ignored when peers name it. */
const DIAL_MEMORY_MS = 300_000

/**
 * Whether a peer is waited for: `late` ones, which have made no progress for longer than they ever take,
 * are replaced where others can; `silent` ones have let a whole request timeout pass since they
 * responded.
 */
export type Suspicion = 'none' | 'late' | 'silent'

export interface PeerBookInit {
  /** Addresses that others have named and that are dialled in a second. @default DEFAULTS.limits.maxDialsPerSecond */
  readonly maxDialsPerSecond?: number

  /** Such dials of all protocols together, in place of a rate of their own. */
  readonly dials?: TokenBucket

  /** Called with each response. */
  readonly onResponse?: (peer: PeerId) => void

  /** Called with each failure of a verified peer. A refusal is none. */
  readonly onFailure?: (peer: PeerId) => void

  /** Called with each peer at whose addresses no process listens. */
  readonly onVacancy?: (peer: PeerId) => void

  /** Called with each ban and its length. */
  readonly onBan?: (peer: PeerId, error: Error, forMs: number) => void

  /** Milliseconds of a clock that never goes back. */
  readonly nowMs?: () => number
}

/** Records what peers did, and decides which are avoided, banned or believed (N8c, N9c, N9h). */
export class PeerBook {
  readonly records: PeerRecords = new PeerRecords()
  readonly #init: PeerBookInit
  readonly #nowMs: () => number
  readonly #dials: TokenBucket
  /** The first referrer of each unverified peer, by the very object that the reply was decoded to. */
  readonly #referrers = new WeakMap<PeerInfo, PeerId>()
  #hasBans = false

  constructor(init: PeerBookInit = {}) {
    const { maxDialsPerSecond = DEFAULT_NODE_LIMITS.maxDialsPerSecond, nowMs } = init
    this.#init = init
    this.#nowMs = nowMs ?? (() => performance.now())
    this.#dials =
      init.dials ??
      new TokenBucket({
        perSecond: maxDialsPerSecond,
        burst: 2 * maxDialsPerSecond,
        nowMs: this.#nowMs
      })
  }

  /** Whether the peer violated the protocol lately. */
  isBanned(peer: PeerId): boolean {
    return this.#hasBans && this.#isAhead(this.records.get(peer)?.bannedUntilMs)
  }

  /** Whether this node knows the peer by more than what others say. */
  isVerified(peer: PeerId): boolean {
    return this.records.get(peer)?.isVerified === true
  }

  /** Whether there is any connection to the peer. */
  isConnected(peer: PeerId): boolean {
    return this.records.get(peer)?.isConnected === true
  }

  /** Whether the peer is slower than others just now. */
  isLate(peer: PeerId): boolean {
    return this.records.get(peer)?.isLate === true
  }

  /**
   * Whether others are to be asked first: the peer failed lately, or could not be reached at these
   * addresses, or was named by one whose peers are often not there.
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

  /** Says whether a peer is waited for. What others say of an unverified one is held against its addresses. */
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
   * Milliseconds without progress after which a peer is suspected: longer than its responses take (RFC
   * 6298). Never, if it is unverified, unless it was silent before: whoever named it may want to hide it.
   */
  suspectAfterMs(contact: PeerInfo, isConnected: boolean): number {
    const record = this.records.get(contact.id)

    if (record?.isVerified !== true) {
      return record?.isSilentAt(contact) ? MAX_SUSPECT_MS : Number.POSITIVE_INFINITY
    }

    const lateMs = record.responseTimes?.lateAfterMs ?? FIRST_SUSPECT_MS
    return isConnected ? Math.min(Math.max(lateMs, MIN_SUSPECT_MS), MAX_SUSPECT_MS) : MAX_SUSPECT_MS
  }

  /** Whether an unverified peer could not be dialled within the last minutes. */
  isUnreachable(peer: PeerId): boolean {
    const failedAtMs = this.records.get(peer)?.dialFailedAtMs ?? NEVER_MS
    return this.#isAhead(failedAtMs + DIAL_MEMORY_MS)
  }

  /** Peers that are avoided now, whatever their addresses. */
  get numAvoided(): number {
    const records = [...this.records.values()]
    return records.filter(({ avoidedUntilMs }) => this.#isAhead(avoidedUntilMs)).length
  }

  /**
   * Whether so many dials to a peer may be made now. Those to unverified peers are counted,
   * so that nobody can send this node against others.
   */
  mayDial(peer: PeerId, dials: number): boolean {
    return this.isVerified(peer) || this.#dials.tryTake(dials, 1)
  }

  /** Takes note of what became of a dial, for the sake of the peer that named the dialled one. */
  recordDial(contact: PeerInfo, isReached: boolean): void {
    if (!isReached && this.isVerified(contact.id)) {
      return
    }

    this.records.update(contact.id, (record) => {
      record.dialFailedAtMs = isReached ? NEVER_MS : this.#nowMs()

      if (isReached) {
        record.removeUnreachable(contact)
      }
    })
    const referrer = this.#referrers.get(contact)

    if (referrer !== undefined) {
      this.records.update(referrer, (record) => record.addReferral(isReached))
    }
  }

  /** Takes note of who named an unverified peer; the first one counts. */
  recordReferral(contact: PeerInfo, referrer: PeerId): void {
    if (!this.isVerified(contact.id) && !this.#referrers.has(contact)) {
      this.#referrers.set(contact, referrer)
    }
  }

  /** Takes note of a response, be it too late for the one who asked, and perhaps of the time that it took. */
  recordResponse(peer: PeerId, tookMs?: number): void {
    const record = this.records.get(peer)

    if (tookMs !== undefined) {
      record?.addResponseTime(Math.min(tookMs, MAX_SUSPECT_MS))
    }

    if (record?.isLate || record?.isSilent || record?.isAvoided) {
      this.records.update(peer, (changed) => changed.clearFailures())
    }

    this.#init.onResponse?.(peer)
  }

  /**
   * Takes note of a request that came to nothing. A busy peer is spared for a moment. A failure of
   * an unverified peer is held against its addresses, since others may have made them up. Requests
   * that were sent before the last failure have failed with it.
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

  /** Takes note of a peer that let the hedging delay pass. */
  recordDelay(peer: PeerId): void {
    this.records.update(peer, (record) => {
      record.isLate = true
    })
  }

  /** Takes note of a peer that makes no progress. An unverified one may be elsewhere than others say. */
  recordSuspicion(peer: PeerId): void {
    this.records.update(peer, (record) => {
      record.isLate = true
      record.isSuspect ||= record.isVerified
    })
  }

  /** Bans a peer that violated the protocol: one minute at first, doubling to one hour. */
  ban(peer: PeerId, error: Error): void {
    this.#hasBans = true
    const { bans } = this.records.update(peer, (record) => {
      record.bans++
      record.bannedUntilMs = this.#nowMs() + doublingMs(record.bans, FIRST_BAN_MS, MAX_BAN_MS)
    })
    this.#init.onBan?.(peer, error, doublingMs(bans, FIRST_BAN_MS, MAX_BAN_MS))
  }

  #isReferrerDistrusted(contact: PeerInfo): boolean {
    const referrer = this.#referrers.get(contact)
    return referrer !== undefined && this.records.get(referrer)?.isDistrusted === true
  }

  #isAhead(untilMs: number = NEVER_MS): boolean {
    return untilMs !== NEVER_MS && untilMs > this.#nowMs()
  }
}
