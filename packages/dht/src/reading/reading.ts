import type { PeerInfo } from '@libp2p/interface'
import { type DHTRecord, type DHTTime, isEmpty, type Limits, type SubkeyId } from '@waggle/record'
import { shownExpiration, subsumes } from '@waggle/record/replica'
import { busyError } from '../errors.ts'
import type { LookupResult } from '../lookup/lookup.ts'
import { NEVER_FRESH } from '../store/stored-record.ts'
import type { CancellationToken } from '../timing/cancellation.ts'

export interface ReadOptions {
  readonly cancellation: CancellationToken
  readonly latest?: boolean | undefined
  readonly sufficientExpirationTime?: number | undefined

  /** The only subkey that is wanted: records are projections to it. @default the whole record */
  readonly subkey?: SubkeyId | undefined

  /** Time in ms of the process's clock by which a record must have had all that a replica held. @default any */
  readonly minFreshMs?: number | undefined

  /** Called with the record found so far, with all that this node knows by now. */
  onRecord?(found: FreshRecord): void
}

/** A record, and the time in ms of the process's clock by which it has all that a replica held. */
export interface FreshRecord {
  readonly record: DHTRecord
  readonly freshMs: number
}

export interface Reading extends FreshRecord {
  /** The joined records of all peers that answered. */
  readonly record: DHTRecord

  /**
   * Whether this node knew it already, or it was good enough before all were asked, or all were, or nobody wanted it
   * any more.
   */
  readonly end: 'known' | 'enough' | 'whole' | 'given up'

  /** The nearest replicas that lack some of it, when all were asked. */
  readonly behind: readonly PeerInfo[]

  /** If not all were asked: the peers that had nothing and are nearer than one that had something. */
  readonly without: readonly PeerInfo[]

  /** Peers that responded. */
  readonly responded: number
}

/** The record that one peer holds. */
export interface ReplicaState {
  readonly contact: PeerInfo
  readonly record: DHTRecord

  /** Whether it holds the key. Of a single subkey it may hold nothing all the same. */
  readonly isHolder: boolean

  /** Whether it lacks the key, and has had the time to be handed it. @default false */
  readonly isAbsent?: boolean | undefined
}

/** Whether a reader needs no more than this (N5). `latest` requires all. */
export function isSufficient(
  { record, freshMs }: FreshRecord,
  { latest = false, minFreshMs = NEVER_FRESH, subkey, sufficientExpirationTime = 0 }: ReadOptions,
  now: DHTTime
): boolean {
  if (latest || freshMs < minFreshMs) {
    return false
  }

  const expirationTime = shownUntil(record, subkey, now)
  return expirationTime !== undefined && expirationTime >= sufficientExpirationTime
}

/** Until when a reader is shown something: of the whole record, or under one subkey. Undefined: nothing is shown. */
export function shownUntil(
  record: DHTRecord,
  subkey: SubkeyId | undefined,
  now: DHTTime
): DHTTime | undefined {
  // A plain entry is never what a subkey holds.
  return shownExpiration(subkey === undefined ? record : { subkeys: record.subkeys }, now)
}

/** Returns the nearest peers that lack a part of the record. */
export function replicasBehind(
  record: DHTRecord,
  answers: readonly ReplicaState[],
  nearest: readonly PeerInfo[],
  limits: Limits
): PeerInfo[] {
  return nearest.filter((contact) => {
    const held = answers.find((answer) => answer.contact === contact)
    return held !== undefined && !subsumes(held.record, record, limits)
  })
}

/** The peers that answered and hold nothing, of those nearer than one that does; nearest first. */
export function replicasWithout(
  answers: readonly ReplicaState[],
  nearest: readonly PeerInfo[]
): PeerInfo[] {
  const isEmptyHanded = (contact: PeerInfo): boolean =>
    answers.some((answer) => answer.contact === contact && isEmpty(answer.record))
  const isHolder = (contact: PeerInfo): boolean =>
    answers.some((answer) => answer.contact === contact && !isEmpty(answer.record))
  return nearest.slice(0, Math.max(nearest.findLastIndex(isHolder), 0)).filter(isEmptyHanded)
}

/** @throws BusyError when no response is of use, and some peers were busy */
export function assertNotBusy({ numBusy }: LookupResult, hasResponse: boolean): void {
  if (!hasResponse && numBusy > 0) {
    throw busyError(numBusy)
  }
}
