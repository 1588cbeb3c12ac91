import {
  type DHTRecord,
  type DHTTime,
  type Key,
  type Limits,
  plainRecord,
  recordKey,
  type SigningKey,
  type Subkey,
  subkeyRecord,
  tombstoneRecord,
  ValidationError,
  type Value
} from '@waggle/record'
import { expirationOf, isKeyOf, type OptionalLifetime, placeOwner } from '@waggle/record/replica'
import { assertThat } from '../option-checks.ts'
import { placeName } from '../store/place-name.ts'
import { isTimed, valueAt } from './timed-value.ts'

/** Seconds between two writes. A float can represent it until the year 2242. */
export const CLOCK_STEP = 1e-6

/** A write as replicas receive it. */
export interface Write {
  readonly key: Uint8Array

  /** The record to merge; unsigned unless {@link isPrepared}. */
  readonly record: DHTRecord

  /** Private key of the peer that owns the place (R15). Undefined: nobody owns it. */
  readonly signer?: SigningKey | undefined

  /** Whether it is signed and has passed this node's validators. */
  readonly isPrepared?: boolean

  /** Makes the record anew for another expiration, if the value depends on it. */
  readonly recordUntil?: (expirationTime: DHTTime) => DHTRecord

  /** Whether it has not expired. An expiration in the past is no error (R14). */
  readonly isLive: boolean
}

/** Time, limits and keys for the caller's arguments. */
export interface WriteRules {
  readonly now: DHTTime
  readonly limits: Limits

  /** Private keys that sign writes to places that they own. */
  readonly signers: readonly SigningKey[]
}

type TimedPlace = OptionalLifetime & WrittenPlace

interface WrittenPlace {
  readonly key: Key
  readonly subkey?: Subkey | undefined

  /** Private key to sign with, instead of the {@link WriteRules.signers}. */
  readonly privateKey?: SigningKey | undefined
}

/** Converts the arguments of `store` to a write. Throws if they are invalid. */
export function storeWrite(place: TimedPlace & { value: Value }, rules: WriteRules): Write {
  const { subkey, value } = place
  const recordUntil = (expirationTime: DHTTime): DHTRecord =>
    subkey === undefined
      ? plainRecord(valueAt(value, expirationTime), expirationTime, rules.limits)
      : subkeyRecord(subkey, valueAt(value, expirationTime), expirationTime, rules.limits)
  const stored = write(place, rules, recordUntil)
  return isTimed(value) ? { ...stored, recordUntil } : stored
}

/** Converts the arguments of `delete` to a write. Throws if they are invalid. */
export function deleteWrite(place: TimedPlace, rules: WriteRules): Write {
  return write(place, rules, (expirationTime) =>
    tombstoneRecord(expirationTime, { subkey: place.subkey, limits: rules.limits })
  )
}

function write(
  place: TimedPlace,
  { now, limits, signers }: WriteRules,
  recordUntil: (expirationTime: DHTTime) => DHTRecord
): Write {
  const expirationTime = expirationOf(place, now, limits)
  const key = recordKey(place.key, limits)
  const record = recordUntil(expirationTime)
  const signer = signerOf({ key, record }, place.privateKey, signers)
  const isLive = expirationTime > now
  return signer === undefined ? { key, record, isLive } : { key, record, isLive, signer }
}

/**
 * Finds the private key that signs a write; undefined if nobody owns the place.
 *
 * @throws ValidationError for a place of another peer, or one that no peer can own
 * @throws TypeError for a value that is no private key, or a key for a place that nobody owns
 */
export function signerOf(
  { key, record }: Pick<Write, 'key' | 'record'>,
  privateKey: SigningKey | undefined,
  signers: readonly SigningKey[]
): SigningKey | undefined {
  const [subkey] = record.subkeys.keys()
  const owner = placeOwner(key, subkey)

  if (privateKey !== undefined) {
    assertPrivateKey(privateKey, 'privateKey')
  }

  if (owner === undefined) {
    if (privateKey !== undefined) {
      throw new TypeError(
        'privateKey is given, but nobody owns the place: put an ownerTag(peerId) into key or subkey'
      )
    }

    return undefined
  }

  const signer = (privateKey ? [privateKey] : signers).find((one) => isKeyOf(owner, one))

  if (signer === undefined) {
    throw new ValidationError(
      `the place belongs to ${owner.id}: pass that peer's privateKey, or use the ownerTag of the peer that stores`
    )
  }

  return signer
}

/** Checks for a private key. */
export function assertPrivateKey(value: unknown, option: string): void {
  const { sign, publicKey } = Object(value)
  const isSo = typeof sign === 'function' && publicKey !== undefined
  assertThat(isSo, option, "a libp2p private key, such as await generateKeyPair('Ed25519')", value)
}

/** Copies a write with another expiration. */
export function renew(write: Write, expirationTime: DHTTime): Write {
  const { record, recordUntil } = write

  if (recordUntil !== undefined) {
    return { ...write, record: recordUntil(expirationTime), isLive: true }
  }

  const { plain } = record
  const subkeys = [...record.subkeys].map(
    ([id, entry]) => [id, { ...entry, expirationTime }] as const
  )
  return {
    ...write,
    record: {
      ...(plain && { plain: { ...plain, expirationTime } }),
      subkeys: new Map(subkeys)
    },
    isLive: true
  }
}

/** Returns the write that deletes an earlier write, with a tombstone that expires at a time. */
export function goodbye({ signer, ...write }: Write, until: DHTTime): Write {
  const { plain, subkeys } = write.record
  const gone = [...subkeys.keys()].map((id) => [id, { expirationTime: until }] as const)
  return {
    key: write.key,
    record: { subkeys: new Map(gone), ...(plain && { plain: { expirationTime: until } }) },
    isLive: true,
    ...(signer && { signer })
  }
}

/** Names the one place that a write is for. */
export function placeOf({ key, record }: Pick<Write, 'key' | 'record'>): string {
  const [subkey] = record.subkeys.keys()
  return placeName(key, subkey)
}
