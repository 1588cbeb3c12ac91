import {
  type DHTRecord,
  type DHTTime,
  type Key,
  type Limits,
  plainRecord,
  recordKey,
  type SigningKey,
  type Subkey,
  type SubkeyId,
  subkeyRecord,
  tombstoneRecord,
  ValidationError,
  type Value
} from '@waggle/record'
import { expirationOf, isKeyOf, type Lifetime, ownerOf } from '@waggle/record/replica'
import { textOf } from '../latin1.ts'

/** A write as replicas take it. */
export interface Write {
  readonly key: Uint8Array

  /** Not yet signed, unless {@link isPrepared}. */
  readonly record: DHTRecord

  /** Of the peer to whom the place belongs (R15); undefined: it belongs to nobody. */
  readonly signer?: SigningKey | undefined

  /** Whether it is signed, and has passed this node's own validators. */
  readonly isPrepared?: boolean

  /** Whether it would count for anything now. One in the past is not an error (R14). */
  readonly isLive: boolean
}

/** What the caller's arguments are judged by. */
export interface WriteRules {
  readonly now: DHTTime
  readonly limits: Limits

  /** Those that may sign what is written to places of their owners. */
  readonly signers: readonly SigningKey[]
}

interface Place extends Lifetime {
  readonly key: Key
  readonly subkey?: Subkey | undefined

  /** Signs instead of the {@link WriteRules.signers}. */
  readonly privateKey?: SigningKey | undefined
}

/** Turns what a caller wants stored into a write, or throws what is wrong with it. */
export function storing({ value, ...place }: Place & { value: Value }, rules: WriteRules): Write {
  return write(place, rules, (expirationTime) =>
    place.subkey === undefined
      ? plainRecord(value, expirationTime, rules.limits)
      : subkeyRecord(place.subkey, value, expirationTime, rules.limits)
  )
}

/** Turns what a caller wants deleted into a write, or throws what is wrong with it. */
export function deleting(place: Place, rules: WriteRules): Write {
  return write(place, rules, (expirationTime) =>
    tombstoneRecord(expirationTime, { subkey: place.subkey, limits: rules.limits })
  )
}

function write(
  place: Place,
  { now, limits, signers }: WriteRules,
  recordUntil: (expirationTime: DHTTime) => DHTRecord
): Write {
  const expirationTime = expirationOf(place, now, limits)
  const key = recordKey(place.key, limits)
  const record = recordUntil(expirationTime)
  const signer = signerOf({ key, record }, place.privateKey, signers)
  return { key, record, isLive: expirationTime > now, ...(signer && { signer }) }
}

/**
 * Whose key signs a write: undefined where nobody has to.
 *
 * @throws ValidationError for a place of somebody else, or one that nobody can own
 * @throws TypeError for what is no private key, or one for a place that belongs to nobody
 */
function signerOf(
  { key, record }: Pick<Write, 'key' | 'record'>,
  privateKey: SigningKey | undefined,
  signers: readonly SigningKey[]
): SigningKey | undefined {
  const [subkey] = record.subkeys.keys()
  const owner = ownerOf(key, subkey)

  if (privateKey !== undefined) {
    assertPrivateKey(privateKey)
  }

  if (owner === undefined) {
    if (privateKey !== undefined) {
      throw new TypeError(
        'privateKey is given, but the place belongs to nobody: put an ownerTag(peerId) into key or subkey'
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

/** Says what is wrong with what is given as a private key. */
export function assertPrivateKey(given: unknown): void {
  if (typeof Object(given).sign !== 'function' || Object(given).publicKey === undefined) {
    throw new TypeError(
      `privateKey must be a libp2p private key, such as await generateKeyPair('Ed25519')`
    )
  }
}

/** The same write with another expiration. */
export function renewed(write: Write, expirationTime: DHTTime): Write {
  const { record } = write
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

/** The name of the one place that a write is for. */
export function placeOf({ key, record }: Pick<Write, 'key' | 'record'>): string {
  const [subkey] = record.subkeys.keys()
  return placeName(key, subkey)
}

/** A place's name; those of a key's subkeys begin with that of the key and a separator. */
export function placeName(key: Uint8Array, subkey?: SubkeyId): string {
  const name = textOf(key)
  return subkey === undefined ? name : name + SUBKEY_SEPARATOR + subkey
}

/** Keys are CBOR, in which no key is the beginning of another. */
export const SUBKEY_SEPARATOR = '\0'
