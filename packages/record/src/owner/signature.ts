import { fromString } from 'uint8arrays/from-string'
import { MAJOR } from '../cbor/format.ts'
import { writeBytes } from '../cbor/writer.ts'
import type { Entry } from '../entry.ts'
import { ValidationError } from '../errors.ts'
import { DEFAULT_NETWORK, type NetworkOptions } from '../network.ts'
import { type DHTRecord, RECORD_VERSION, record as recordOf } from '../record.ts'
import { keyBytes, type SubkeyId } from '../values/key.ts'
import { type VerifySignature, verifySignature } from './ed25519.ts'
import { type Owner, ownerOfKey, ownerWithin, placeOwner } from './owner.ts'

/** The domain of entries' signatures: no other use of a peer's key signs bytes that begin like this. */
const DOMAIN = fromString('waggle-entry:')

/** Numbers of the fields that are signed. */
const SIGNED_FIELDS = { key: 0, subkey: 1, expirationTime: 2, value: 3, network: 4 } as const

/** The key that signs for an owner: a libp2p private key, or an object like it. */
export interface SigningKey {
  /** Only `'Ed25519'` can sign. */
  readonly type: string
  readonly publicKey: { readonly raw: Uint8Array }
  sign(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>
}

/** An entry's signature, and the owner and message that it must fit. */
export interface SignedEntry {
  readonly owner: Owner
  readonly message: Uint8Array
  readonly signature: Uint8Array
}

/**
 * Makes the message that the owner of a place signs (R15): the key, the subkey if there is one, the
 * expiration, the value unless the entry is a tombstone, and the network. docs/records.md has the
 * layout.
 */
export function signedBytes(
  key: Uint8Array,
  id: SubkeyId | undefined,
  { expirationTime, value }: Entry,
  network: string = DEFAULT_NETWORK
): Uint8Array {
  return writeBytes((to) => {
    to.encoding(DOMAIN)
    to.byte(RECORD_VERSION)
    to.head(MAJOR.map, 3 + Number(id !== undefined) + Number(value !== undefined))
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

    to.head(MAJOR.uint, SIGNED_FIELDS.network)
    to.text(network)
  })
}

/** The signatures of most records. */
const NONE: readonly SignedEntry[] = []

/**
 * Lists the signatures in a record, which remain to be verified.
 *
 * @throws ValidationError if an owned place is not signed, or one without an owner is
 */
export function signedEntries(
  key: Uint8Array,
  { plain, subkeys }: DHTRecord,
  network: string = DEFAULT_NETWORK
): readonly SignedEntry[] {
  const keyOwner = ownerOfKey(key)
  let signed: SignedEntry[] | undefined

  if (plain !== undefined && (keyOwner !== undefined || plain.signature !== undefined)) {
    signed = [signedEntry({ key, network, owner: keyOwner }, undefined, plain)]
  }

  for (const [id, entry] of subkeys) {
    const owner = ownerWithin(keyOwner, id)

    if (owner !== undefined || entry.signature !== undefined) {
      signed ??= []
      signed.push(signedEntry({ key, network, owner }, id, entry))
    }
  }

  return signed ?? NONE
}

/** The part of a signature's message that all entries of an owner in one record share. */
interface Signed {
  readonly key: Uint8Array
  readonly network: string
  readonly owner: Owner | undefined
}

function signedEntry(
  { key, network, owner }: Signed,
  id: SubkeyId | undefined,
  entry: Entry
): SignedEntry {
  const { signature } = entry

  if (owner === undefined || signature === undefined) {
    throw new ValidationError(
      owner === undefined
        ? 'an entry is signed, but its place has no owner'
        : `the place belongs to ${owner.id}, but the entry is not signed`
    )
  }

  return { owner, message: signedBytes(key, id, entry, network), signature }
}

/** @throws ValidationError unless the signature is the owner's */
export function assertSigned(
  { owner, message, signature }: SignedEntry,
  verify: VerifySignature = verifySignature
): void {
  if (!verify(owner.publicKey, message, signature)) {
    throw new ValidationError(
      `the signature is not that of ${owner.id}, to which the place belongs`
    )
  }
}

/** Whether the key is the owner's. */
export function isKeyOf({ publicKey }: Owner, key: SigningKey): boolean {
  return key.type === 'Ed25519' && publicKey.every((byte, i) => key.publicKey.raw[i] === byte)
}

/**
 * Signs the entries in owned places with the owner's private key. Other entries stay as they are.
 * The signatures are valid in one network.
 *
 * Rejects with a ValidationError if a place belongs to another peer.
 */
export async function signRecord(
  key: Uint8Array,
  { plain, subkeys }: DHTRecord,
  privateKey: SigningKey,
  { network = DEFAULT_NETWORK }: NetworkOptions = {}
): Promise<DHTRecord> {
  const sign = async (id: SubkeyId | undefined, entry: Entry): Promise<Entry> => {
    const owner = placeOwner(key, id)

    if (owner === undefined) {
      return entry
    }

    if (!isKeyOf(owner, privateKey)) {
      throw new ValidationError(
        `the place belongs to ${owner.id}: only that peer's private key can sign what is stored there`
      )
    }

    const signature = await privateKey.sign(signedBytes(key, id, entry, network))
    // libp2p's keys give a Buffer in Node.
    return { ...entry, signature: Uint8Array.from(signature) }
  }

  const signed = new Map<SubkeyId, Entry>()

  for (const [id, entry] of subkeys) {
    signed.set(id, await sign(id, entry))
  }

  return recordOf(plain && (await sign(undefined, plain)), signed)
}
