import type { PeerId, PeerInfo } from '@libp2p/interface'
import { FIRST_AVOIDANCE_MS, MAX_AVOIDANCE_MS } from '../constants.ts'
import { RoundTripEstimate } from './round-trip-estimate.ts'

/** A moment before all others, in ms of the process's clock. */
export const NEVER_MS: number = Number.NEGATIVE_INFINITY

/** Milliseconds of silence after which a peer may have left for good. */
export const DEPARTED_MS = 900_000

/** Sets of addresses remembered of one peer that nobody answered at. */
const MAX_UNREACHABLE = 4

/** Referrals that may turn out wrong, beyond those that turned out right, before a peer is distrusted. */
const MAX_WRONG_REFERRALS = 8

/** Right referrals that count: a peer that was right for long may be wrong from now on. */
const MAX_CREDIT = 8

/** Addresses of one peer that nobody answered at. */
interface Unreachable {
  readonly contact: PeerInfo
  readonly failures: number
  readonly untilMs: number

  /** Whether nothing came, not even a refusal. */
  readonly isSilence: boolean
}

const NOWHERE: readonly Unreachable[] = []

/** The memory of one peer. Moments are in ms of the process's clock. */
export class PeerRecord {
  /** Where the peer is, as it says itself. */
  contact: PeerInfo

  /** Whether the routing table has it. */
  isInTable = false

  /** Whether there is any connection to it. */
  isConnected = false

  /** Whether it is connected and serves this network. */
  isServer = false

  /** Failures since its last response. */
  failures = 0
  avoidedUntilMs: number = NEVER_MS

  /** Moment of the first failure since its last response, wherever it was asked. */
  silentSinceMs: number = NEVER_MS

  /** Whether its last response took longer than the hedging delay, or is still due. */
  isLate = false

  /** Whether it made no progress for longer than it ever takes, and has not responded since. */
  isSuspect = false

  /** Whether it has let a whole request timeout pass, and has not responded since. */
  hasTimedOut = false

  /** When it failed last. What was requested before has failed with that. */
  failedAtMs: number = NEVER_MS

  /** Its response times, once there are any. */
  responseTimes: RoundTripEstimate | undefined

  /** Times that it has violated the protocol. */
  bans = 0
  bannedUntilMs: number = NEVER_MS

  /** Peers that it named and that were reached, less those that were not. */
  referralCredit = 0

  /** When it was last dialled in vain as an unverified peer. */
  dialFailedAtMs: number = NEVER_MS
  #unreachable: readonly Unreachable[] = NOWHERE

  constructor(id: PeerId) {
    this.contact = { id, multiaddrs: [] }
  }

  get id(): PeerId {
    return this.contact.id
  }

  /** Whether this node knows the peer by more than what others say. */
  get isVerified(): boolean {
    return this.isInTable || this.isServer || this.isConnected
  }

  /** Whether so many of the peers that it named were not there that the others are asked last. */
  get isDistrusted(): boolean {
    return this.referralCredit <= -MAX_WRONG_REFERRALS
  }

  /** Whether it did not answer, or could not be dialled, and has not been reached since. */
  get isFailing(): boolean {
    return (
      this.failures > 0 ||
      this.avoidedUntilMs !== NEVER_MS ||
      this.dialFailedAtMs !== NEVER_MS ||
      this.#unreachable.length > 0
    )
  }

  /** Learns from the time that a response took. */
  addResponseTime(ms: number): void {
    this.responseTimes ??= new RoundTripEstimate()
    this.responseTimes.add(ms)
  }

  /** Whether it was avoided, or still is. */
  get isAvoided(): boolean {
    return this.avoidedUntilMs !== NEVER_MS
  }

  /** Whether it has failed since its last response. */
  get isSilent(): boolean {
    return this.silentSinceMs !== NEVER_MS
  }

  /** Whether it has failed for so long, without any response, that it may have left. */
  isLongSilent(nowMs: number): boolean {
    return this.isSilent && this.silentSinceMs <= nowMs - DEPARTED_MS
  }

  /** Counts one of the peers that it named as reached or not. */
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

  /** Forgets all failures, and that the peer is late. */
  clearFailures(): void {
    this.failures = 0
    this.avoidedUntilMs = NEVER_MS
    this.silentSinceMs = NEVER_MS
    this.isLate = false
    this.isSuspect = false
    this.hasTimedOut = false
  }

  /**
   * Counts a failure of some addresses that others gave for the peer. Where it is unknown whether that was
   * silence, as of a dial that failed, they are as silent as before.
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

  /** Forgets that nobody answered at these addresses. */
  removeUnreachable(contact: PeerInfo): void {
    if (this.#unreachable.length > 0) {
      this.#unreachable = this.#unreachable.filter(
        (one) => !hasOnlyAddressesOf(contact, one.contact)
      )
    }
  }

  /** Whether nothing came from these addresses when they were tried last. */
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

  /** Whether nobody answered lately at any of these addresses. */
  isUnreachableAt(contact: PeerInfo, nowMs: () => number): boolean {
    return (
      this.#unreachable.length > 0 &&
      this.#unreachable.some(
        (one) => one.untilMs > nowMs() && hasOnlyAddressesOf(contact, one.contact)
      )
    )
  }
}

/** Milliseconds for which a peer is avoided that has failed so often in a row. */
export function avoidanceMs(failures: number): number {
  return doublingMs(failures, FIRST_AVOIDANCE_MS, MAX_AVOIDANCE_MS)
}

/** Milliseconds that double with each time after the first, up to a limit. */
export function doublingMs(times: number, firstMs: number, maxMs: number): number {
  return Math.min(firstMs * 2 ** (times - 1), maxMs)
}

/** Whether a peer as named once has no other addresses than as named another time. */
export function hasOnlyAddressesOf(contact: PeerInfo, other: PeerInfo): boolean {
  return (
    contact === other ||
    contact.multiaddrs.every((address) => other.multiaddrs.some((one) => one.equals(address)))
  )
}
