import type { PeerId, PeerInfo } from '@libp2p/interface'
import { FIRST_AVOIDANCE_MS, MAX_AVOIDANCE_MS } from '../constants.ts'
import { doubled } from '../timing/doubling.ts'
import { RoundTripEstimate } from './round-trip-estimate.ts'

/** A time before all others, in ms of the process's clock. */
export const NEVER_MS: number = Number.NEGATIVE_INFINITY

/** Milliseconds of silence after which a peer may have left for good. */
export const DEPARTED_MS = 900_000

/** Unreachable sets of addresses remembered for one peer. */
const MAX_UNREACHABLE = 4

/** Excess of wrong referrals over right ones above which a peer is distrusted. */
const MAX_WRONG_REFERRALS = 8

/** Maximum credit for right referrals: a peer that was right for long may be wrong from now on. */
const MAX_CREDIT = 8

/** Addresses of one peer that were unreachable. */
interface Unreachable {
  readonly contact: PeerInfo
  readonly failures: number
  readonly untilMs: number

  /** Whether no reply arrived at all, not even a refusal. */
  readonly isSilence: boolean
}

const NOWHERE: readonly Unreachable[] = []

/** The loss of a member of the network. */
export interface Loss {
  /** Its last addresses. */
  readonly contact: PeerInfo
  readonly atMs: number

  /** Whether it has certainly left: it sent a goodbye, or no process listens at its address. */
  readonly hasLeft: boolean
}

/** The state of one peer. Times are in ms of the process's clock. */
export class PeerRecord {
  readonly id: PeerId

  /** Whether it is in the routing table. */
  isInTable = false

  /** Its loss, if it was in the routing table and is no longer. */
  loss: Loss | undefined

  /** Whether there is any connection to it. */
  isConnected = false

  /** Whether it is connected and serves this network. */
  isServer = false

  /** Failures since its last response. */
  failures = 0
  avoidedUntilMs: number = NEVER_MS

  /** Time of the first failure since its last response, at any of its addresses. */
  silentSinceMs: number = NEVER_MS

  /** Whether its last response took longer than the hedging delay, or is still due. */
  isLate = false

  /** Whether it made no progress for longer than it ever took, and has not responded since. */
  isSuspect = false

  /** Whether it has let a whole request timeout pass, and has not responded since. */
  hasTimedOut = false

  /** Time of its last failure. Earlier requests have failed with it. */
  failedAtMs: number = NEVER_MS

  /** Estimate of its response times; undefined before the first. */
  responseTimes: RoundTripEstimate | undefined

  /** Number of its protocol violations. */
  bans = 0
  bannedUntilMs: number = NEVER_MS

  /** Number of its referrals that were reachable, minus those that were not. */
  referralCredit = 0

  /** Time of the last failed dial to it since it was reached. */
  dialFailedAtMs: number = NEVER_MS

  /** Time at which it last refused a connection, since it was reached. */
  refusedAtMs: number = NEVER_MS

  /** Time at which it last had no room for this node: it refused a connection, or closed one that was idle. */
  fullAtMs: number = NEVER_MS
  #unreachable: readonly Unreachable[] = NOWHERE

  constructor(id: PeerId) {
    this.id = id
  }

  /** Whether this node has its own evidence of the peer, beyond referrals. */
  get isVerified(): boolean {
    return this.isInTable || this.isServer || this.isConnected
  }

  /** Whether too many of its referrals were unreachable, so that its further ones are queried last. */
  get isDistrusted(): boolean {
    return this.referralCredit <= -MAX_WRONG_REFERRALS
  }

  /** Whether it did not respond, or could not be dialled, and has not been reached since. */
  get isFailing(): boolean {
    return (
      this.failures > 0 ||
      this.avoidedUntilMs !== NEVER_MS ||
      this.isUndialled ||
      this.#unreachable.length > 0
    )
  }

  /** Adds the time of a response to the estimate. */
  addResponseTime(ms: number): void {
    this.responseTimes ??= new RoundTripEstimate()
    this.responseTimes.add(ms)
  }

  /** Whether it was avoided, or still is. */
  get isAvoided(): boolean {
    return this.avoidedUntilMs !== NEVER_MS
  }

  /** Whether it could not be dialled, and has not been reached since. */
  get isUndialled(): boolean {
    return this.dialFailedAtMs !== NEVER_MS
  }

  /** Whether it has failed since its last response. */
  get isSilent(): boolean {
    return this.silentSinceMs !== NEVER_MS
  }

  /** Whether it has failed for so long, without any response, that it may have left. */
  isLongSilent(nowMs: number): boolean {
    return this.isSilent && this.silentSinceMs <= nowMs - DEPARTED_MS
  }

  /** Counts one of its referrals as reachable or not. */
  addReferral(isReached: boolean): void {
    const credit = this.referralCredit + (isReached ? 1 : -1)
    this.referralCredit = Math.max(Math.min(credit, MAX_CREDIT), -2 * MAX_WRONG_REFERRALS)
  }

  /** Counts a failure of the peer itself. */
  addFailure(nowMs: number): void {
    this.failures++
    this.failedAtMs = nowMs
    this.avoidedUntilMs = nowMs + avoidanceMs(this.failures)
    this.#noteSilence(nowMs)
  }

  /** Clears all failures, and its lateness. */
  clearFailures(): void {
    this.failures = 0
    this.avoidedUntilMs = NEVER_MS
    this.silentSinceMs = NEVER_MS
    this.isLate = false
    this.isSuspect = false
    this.hasTimedOut = false
    this.dialFailedAtMs = NEVER_MS
  }

  /**
   * Counts a failure of addresses from a referral. If it is unknown whether that was silence, as for a failed dial,
   * their previous silence counts.
   */
  addUnreachable(contact: PeerInfo, nowMs: number, silence?: boolean): void {
    const before = this.#unreachable.find((one) => hasOnlyAddressesOf(contact, one.contact))
    const isSilence = silence ?? before?.isSilence === true
    const failures = (before?.failures ?? 0) + 1
    const untilMs = nowMs + avoidanceMs(failures)
    this.#noteSilence(nowMs)
    const others = this.#unreachable.filter((one) => one !== before)
    this.#unreachable = [{ contact, failures, untilMs, isSilence }, ...others].slice(
      0,
      MAX_UNREACHABLE
    )
  }

  /** Clears the failure of addresses. */
  removeUnreachable(contact: PeerInfo): void {
    if (this.#unreachable.length > 0) {
      this.#unreachable = this.#unreachable.filter(
        (one) => !hasOnlyAddressesOf(contact, one.contact)
      )
    }
  }

  /** Whether the last dial of these addresses brought no reply at all. */
  isSilentAt(contact: PeerInfo): boolean {
    return this.#unreachable.some(
      (one) => one.isSilence && hasOnlyAddressesOf(contact, one.contact)
    )
  }

  #noteSilence(nowMs: number): void {
    if (!this.isSilent) {
      this.silentSinceMs = nowMs
    }
  }

  /** Whether any of these addresses was recently unreachable. */
  isUnreachableAt(contact: PeerInfo, nowMs: () => number): boolean {
    return (
      this.#unreachable.length > 0 &&
      this.#unreachable.some(
        (one) => one.untilMs > nowMs() && hasOnlyAddressesOf(contact, one.contact)
      )
    )
  }
}

/** Milliseconds for which a peer is avoided after a number of failures in a row. */
export function avoidanceMs(failures: number): number {
  return doubled(FIRST_AVOIDANCE_MS, failures - 1, MAX_AVOIDANCE_MS)
}

/** Whether a referral contains no addresses beyond those of another one. */
export function hasOnlyAddressesOf(contact: PeerInfo, other: PeerInfo): boolean {
  return (
    contact === other ||
    contact.multiaddrs.every((address) => other.multiaddrs.some((one) => one.equals(address)))
  )
}
