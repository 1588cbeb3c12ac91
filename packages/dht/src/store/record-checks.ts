import {
  type DHTRecord,
  type DHTTime,
  type Entry,
  type Found,
  isEmpty,
  type Limits,
  type MaybePromise,
  type RecordValidator,
  type SigningKey,
  type SubkeyId,
  signRecord,
  ValidationError,
  type VerifySignature,
  view
} from '@waggle/record'
import { encodeValue, readRecord, signedEntries, whenDone } from '@waggle/record/replica'
import type { CpuShares } from '../admission/cpu-shares.ts'
import { SignatureChecks } from './signature-checks.ts'
import { placesOf, type Received, Validation } from './validation.ts'

export interface RecordChecksInit {
  readonly limits: Limits

  /** The name of the network in owners' signatures. */
  readonly network: string
  readonly clock: () => DHTTime
  readonly validators?: readonly RecordValidator[] | undefined

  /** Each peer's use of this node's time. @default an instance of its own */
  readonly shares?: CpuShares | undefined
}

/**
 * Checks every record from other peers or from disk: the rules, the owners' signatures (R15) and the application's
 * validators. The checks are synchronous unless there is much to verify or a validator returns a promise.
 */
export class RecordChecks {
  readonly #init: RecordChecksInit
  readonly #validation: Validation
  readonly #signatures: SignatureChecks

  constructor(init: RecordChecksInit) {
    this.#init = init
    this.#validation = new Validation(init.validators ?? [])
    this.#signatures = new SignatureChecks({ shares: init.shares })
  }

  /** Verifies signatures inline, and remembers the valid ones. */
  get verify(): VerifySignature {
    return this.#signatures.verify
  }

  /** Adds validators. They apply from now on. */
  addValidators(validators: readonly RecordValidator[]): void {
    this.#validation.add(validators)
  }

  /** Removes validators, unless another caller has added the same. */
  removeValidators(validators: readonly RecordValidator[]): void {
    this.#validation.remove(validators)
  }

  /** Stands for the present validators: another object as soon as they change. */
  get validators(): object {
    return this.#validation.composed
  }

  /** Whether there are validators. */
  get hasValidators(): boolean {
    return !this.#validation.isIdle
  }

  /**
   * Checks the bytes that a peer sent for a key. Leaves out entries that validators refuse, perhaps all of them.
   * Throws, or rejects, as `checkRecord` throws, if any entry breaks a rule.
   */
  receive(key: Uint8Array, bytes: Uint8Array, peer: string): MaybePromise<Received> {
    const { clock, limits, network } = this.#init
    const record = readRecord(key, bytes, { now: clock(), limits })
    const signed = signedEntries(key, record, network)

    return signed.length === 0
      ? this.#validation.filter(key, record)
      : whenDone(this.#signatures.check(signed, peer), () => this.#validation.filter(key, record))
  }

  /** Returns a reader's view of a record (R8), without entries that validators refuse. */
  show(key: Uint8Array, record: DHTRecord): MaybePromise<Found | undefined> {
    if (this.#validation.isIdle) {
      return view(record, this.#init.clock(), key)
    }

    return whenDone(this.#validation.filter(key, record), (received) =>
      this.#validation.isStripping
        ? this.#strip(key, received.record)
        : view(received.record, this.#init.clock(), key)
    )
  }

  /**
   * Prepares a write of this node for other peers: validators sign its values, and the owner signs the whole.
   *
   * @throws ValidationError when this node's own validators refuse it
   */
  async prepare(
    key: Uint8Array,
    write: DHTRecord,
    owner: SigningKey | undefined
  ): Promise<DHTRecord> {
    const changed = this.hasValidators ? await this.#signValues(key, write) : write
    const signed = owner === undefined ? changed : await signRecord(key, changed, owner, this.#init)
    const { record, refusals } = await this.#validation.filter(key, signed)

    if (isEmpty(record)) {
      throw new ValidationError(`refused by ${refusals.join(', ')}`)
    }

    return record
  }

  /** Runs the validators' `sign` over each value of the record. */
  #signValues(key: Uint8Array, record: DHTRecord): Promise<DHTRecord> {
    return mapValues(record, async (id, entry) => {
      const value = await this.#validation.sign(key, { id, entry })
      return { ...entry, value: encodeValue(value, this.#init.limits) }
    })
  }

  /** Runs the validators' `strip`. A value that can't be stripped is not shown. */
  async #strip(key: Uint8Array, record: DHTRecord): Promise<Found | undefined> {
    const stripped = await mapValues(record, async (id, entry) => {
      try {
        const value = await this.#validation.strip(key, { id, entry })
        return { ...entry, value: encodeValue(value, this.#init.limits) }
      } catch {
        return undefined
      }
    })
    return view(stripped, this.#init.clock(), key)
  }
}

/** Replaces each entry that has a value, or leaves it out. */
async function mapValues(
  record: DHTRecord,
  change: (id: SubkeyId | undefined, entry: Entry) => Promise<Entry | undefined>
): Promise<DHTRecord> {
  const subkeys = new Map<SubkeyId, Entry>()
  let plain: Entry | undefined

  for (const { id, entry } of placesOf(record)) {
    const changed = entry.value === undefined ? entry : await change(id, entry)

    if (changed !== undefined && id === undefined) {
      plain = changed
    } else if (changed !== undefined && id !== undefined) {
      subkeys.set(id, changed)
    }
  }

  return { ...(plain && { plain }), subkeys }
}
