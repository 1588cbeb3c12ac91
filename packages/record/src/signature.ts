import { fromString } from 'uint8arrays/from-string'
import { MAJOR } from './cbor.ts'
import { written } from './cbor-writer.ts'
import { verifySignature } from './ed25519.ts'
import { ValidationError } from './errors.ts'
import type { DHTRecord, Entry, Owner, SigningKey, SubkeyId, VerifySignature } from './interface.ts'
import { keyBytes } from './key.ts'
import { ownerOf, ownerOfKey, ownerWithin } from './owner.ts'
import { record as recordOf } from './record.ts'
import { RECORD_VERSION } from './record-format.ts'

/** No other use of a peer's key signs what begins so. */
const DOMAIN = fromString('waggle-entry:')

/** The numbers of what is signed. */
const SIGNED_FIELDS = { key: 0, subkey: 1, expirationTime: 2, value: 3 } as const

/** What an owner has to have signed. */
export interface SignedEntry {
  readonly owner: Owner
  readonly message: Uint8Array
  readonly signature: Uint8Array
}

/**
 * What the owner of a place signs (R15): the key, the subkey if there is one, the expiration, and the
 * value unless it is a tombstone. docs/records.md has the layout.
 */
export function signedBytes(
  key: Uint8Array,
  id: SubkeyId | undefined,
  { expirationTime, value }: Entry
): Uint8Array {
  return written((to) => {
    to.encoding(DOMAIN)
    to.byte(RECORD_VERSION)
    to.head(MAJOR.map, 2 + Number(id !== undefined) + Number(value !== undefined))
    to.head(MAJOR.uint, SIGNED_FIELDS.key)
    to.encoding(keyBytes(key))

    if (id !== undefined) {
      to.head(MAJOR.uint, SIGNED_FIELDS.subkey)
      to.latin1(id)
    }

    to.head(MAJOR.uint, SIGNED_FIELDS.expirationTime)
    to.number(expirationTime)

    if (value !== undefined) {
      to.head(MAJOR.uint, SIGNED_FIELDS.value)
      to.encoding(value)
    }
  })
}

/** What most records have: one for all. */
const NONE: readonly SignedEntry[] = []

/**
 * The signatures in a record that are left to be verified.
 *
 * @throws ValidationError when an owned place is not signed, or one that belongs to nobody is
 */
export function signedEntries(
  key: Uint8Array,
  { plain, subkeys }: DHTRecord
): readonly SignedEntry[] {
  const keyOwner = ownerOfKey(key)
  let signed: SignedEntry[] | undefined

  if (plain !== undefined && (keyOwner !== undefined || plain.signature !== undefined)) {
    signed = [signedEntry(key, undefined, plain, keyOwner)]
  }

  for (const [id, entry] of subkeys) {
    const owner = ownerWithin(keyOwner, id)

    if (owner !== undefined || entry.signature !== undefined) {
      signed ??= []
      signed.push(signedEntry(key, id, entry, owner))
    }
  }

  return signed ?? NONE
}

function signedEntry(
  key: Uint8Array,
  id: SubkeyId | undefined,
  entry: Entry,
  owner: Owner | undefined
): SignedEntry {
  const { signature } = entry

  if (owner === undefined || signature === undefined) {
    throw new ValidationError(
      owner === undefined
        ? 'an entry is signed, but its place belongs to nobody'
        : `the place belongs to ${owner.id}, and the entry is not signed`
    )
  }

  return { owner, message: signedBytes(key, id, entry), signature }
}

/** @throws ValidationError unless the signature is the owner's */
export function assertSigned(
  { owner, message, signature }: SignedEntry,
  verify: VerifySignature = verifySignature
): void {
  if (!verify(owner.publicKey, message, signature)) {
    throw new ValidationError(`the signature is not that of ${owner.id}, to whom the place belongs`)
  }
}

/** Whether the key is the owner's. */
export function isKeyOf({ publicKey }: Owner, key: SigningKey): boolean {
  return key.type === 'Ed25519' && publicKey.every((byte, i) => key.publicKey.raw[i] === byte)
}

/**
 * Signs the entries that are in owned places with the owner's key, such as libp2p's; others stay as
 * they are.
 *
 * @throws ValidationError when a place belongs to somebody else
 */
export async function signRecord(
  key: Uint8Array,
  { plain, subkeys }: DHTRecord,
  privateKey: SigningKey
): Promise<DHTRecord> {
  const sign = async (id: SubkeyId | undefined, entry: Entry): Promise<Entry> => {
    const owner = ownerOf(key, id)

    if (owner === undefined) {
      return entry
    }

    if (!isKeyOf(owner, privateKey)) {
      throw new ValidationError(
        `the place belongs to ${owner.id}: only that peer's private key can sign what is written to it`
      )
    }

    const signature = await privateKey.sign(signedBytes(key, id, entry))
    // Keys of libp2p give a Buffer in Node.
    return { ...entry, signature: Uint8Array.from(signature) }
  }

  const signed = new Map<SubkeyId, Entry>()

  for (const [id, entry] of subkeys) {
    signed.set(id, await sign(id, entry))
  }

  return recordOf(plain && (await sign(undefined, plain)), signed)
}
