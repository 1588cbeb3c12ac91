import {
  type DHTRecord,
  EMPTY_RECORD,
  type Found,
  isEmpty,
  type Key,
  type MaybePromise,
  recordKey,
  type SigningKey,
  type Subkey,
  tombstoneRecord,
  type Value
} from '@waggle/record'
import { lastExpiration } from '@waggle/record/replica'
import { busyError, UnreachableError } from '../errors.ts'
import type { Meter } from '../metrics/meter.ts'
import type { CachedReads } from '../reading/cached-reads.ts'
import type { Replicas } from '../reading/replicas.ts'
import { EXPIRED_WRITE, type WriteResult } from '../reading/write-replies.ts'
import type { RecordStore } from '../store/record-store.ts'
import type { CancellationToken } from '../timing/cancellation.ts'
import { deletions } from './deletions.ts'
import { raise } from './entries.ts'
import {
  isNotStored,
  NotStoredError,
  type Report,
  type Result,
  replicaOutcomes,
  type StoreReport
} from './store-report.ts'
import { assertPrivateKey, CLOCK_STEP, signerOf, type Write, type WriteRules } from './writes.ts'

/** A write, and what became of it. */
export interface Written extends WriteResult {
  readonly write: Write

  /** Whether a deletion has left only entries of other owners. */
  readonly isPartial?: boolean
}

export interface DeletedPlace {
  readonly key: Key
  readonly subkey?: Subkey | undefined

  /** Private key of the owner, if that is not this node. */
  readonly privateKey?: SigningKey | undefined
}

export interface WriterInit {
  readonly replicas: Replicas
  readonly reads: CachedReads

  /** The store, for its limits, its checks and its clock. */
  readonly store: RecordStore

  /** Counts outcomes. Undefined: no metrics. */
  readonly meter?: Meter | undefined

  /** This node's private key, which signs writes in places that it owns (R15). */
  readonly privateKey?: SigningKey | undefined
}

/** Seconds by which write times may run ahead of the clock. Steps alone never lead so far. */
const MAX_AHEAD = 1

/** Prepares writes, sends them to replicas, and says what became of them. */
export class Writer {
  readonly #init: WriterInit
  #lastWrite = 0

  constructor(init: WriterInit) {
    this.#init = init
  }

  /**
   * Returns the rules for a write. Time rises from write to write: of two writes with the same ttl
   * within one clock tick, the later wins. A clock that was ahead and has been corrected is trusted.
   */
  rules(privateKey?: SigningKey): WriteRules {
    const { store, privateKey: own } = this.#init
    const now = store.clock()
    const next = this.#lastWrite + CLOCK_STEP
    this.#lastWrite = next - now > MAX_AHEAD ? now : Math.max(now, next)

    if (privateKey !== undefined) {
      assertPrivateKey(privateKey, 'privateKey')
    }

    return {
      now: this.#lastWrite,
      limits: store.limits,
      signers: [privateKey, own].filter((key) => key !== undefined)
    }
  }

  /** Sends a write, and says what became of it. */
  async write(write: Write, cancellation: CancellationToken): Promise<Written> {
    if (!write.isLive) {
      return { write, ...EXPIRED_WRITE }
    }

    const { meter, replicas, reads } = this.#init
    const { key, record } = this.#isReady(write) ? write : await this.prepare(write)
    const beganMs = reads.nowMs()
    const result = await replicas.write(key, record, cancellation)
    const { outcome, peers, winner } = result
    meter?.countOutcomes(peers.values())
    reads.onWritten(key, record, { ...result, beganMs })
    return { write, outcome, peers, winner }
  }

  /**
   * Deletes the present entries of a place, with tombstones that expire a moment later (R9). Resolves with their
   * outcome, or with that of entries that others own and that stay (R16).
   */
  async deletePresent(
    { key: given, subkey, privateKey }: DeletedPlace,
    cancellation: CancellationToken
  ): Promise<Written> {
    const { reads } = this.#init
    const rules = this.rules()
    const { limits, now } = rules
    const key = recordKey(given, limits)
    const nothing = { key, record: tombstoneRecord(now, { subkey, limits }), isLive: false }
    const signer = signerOf(nothing, privateKey, rules.signers)
    const [id] = nothing.record.subkeys.keys()
    const present = await reads.read(key, { latest: true, subkey: id, cancellation })
    const signers = signer === undefined ? rules.signers : [signer]
    const { writes, remaining } = deletions({ key, id, present }, { ...rules, signers })
    const written = await Promise.all(writes.map((write) => this.write(write, cancellation)))
    const failed = written.find(({ outcome }) => outcome !== 'held')
    const last = failed ?? written[0] ?? { write: nothing, ...NOTHING_WRITTEN }
    const isLeft = failed === undefined && !isEmpty(remaining)
    return isLeft ? { ...last, outcome: 'beaten', winner: remaining, isPartial: true } : last
  }

  /** Returns the result of a call, or throws the reason why no replica has the write. */
  resultOf<R extends boolean>(written: Written, { report }: Report<R>): MaybePromise<Result<R>> {
    const { outcome } = written

    if (report === true) {
      return this.reportOf(written) as Promise<Result<R>>
    }

    return isNotStored(outcome)
      ? this.errorOf(written).then(raise)
      : ((outcome === 'held') as Result<R>)
  }

  /** Makes the report of a write. */
  async reportOf({ write, outcome, peers, winner }: Written): Promise<StoreReport> {
    const report = {
      expirationTime: lastExpiration(write.record),
      replicas: replicaOutcomes(peers)
    }
    return outcome === 'beaten'
      ? { ...report, outcome, by: await this.#shown(write, winner) }
      : { ...report, outcome }
  }

  /** Shows what beats a write: under a subkey, the value there. */
  async #shown(write: Write, winner: DHTRecord = EMPTY_RECORD): Promise<Found | 'a deletion'> {
    const found = await this.#init.store.checks.show(write.key, winner)
    const { value } = found ?? {}
    const [id, ...others] = write.record.subkeys.keys()
    const isOfSubkey = id !== undefined && others.length === 0 && winner.subkeys.has(id)
    const [only] =
      isOfSubkey && value instanceof Map
        ? (value as ReadonlyMap<Subkey, Found<Value>>).values()
        : []
    return only ?? found ?? 'a deletion'
  }

  /** Says why no replica has a write. */
  async errorOf(written: Written): Promise<Error> {
    const { outcome, peers } = written

    switch (outcome) {
      case 'busy':
        return busyError([...peers.values()].filter((outcome) => outcome === 'busy').length)
      case 'unreachable':
        return new UnreachableError(replicaOutcomes(peers).length)
      case 'full':
      case 'refused':
        return new NotStoredError(outcome, [await this.reportOf(written)])
      default:
        return new Error(`the write is ${outcome}`)
    }
  }

  /** Whether a write needs no signature and no validator. */
  #isReady({ signer, isPrepared }: Write): boolean {
    return isPrepared === true || (signer === undefined && !this.#init.store.checks.hasValidators)
  }

  /** Signs a write, and has validators check it. */
  async prepare(write: Write): Promise<Write> {
    const { checks } = this.#init.store
    const record = await checks.prepare(write.key, write.record, write.signer)
    return { ...write, record, isPrepared: true }
  }
}

/** The result of a deletion where nothing is. */
const NOTHING_WRITTEN: WriteResult = { outcome: 'held', peers: new Map(), winner: undefined }
