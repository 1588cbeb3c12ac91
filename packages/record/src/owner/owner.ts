import { fromString } from 'uint8arrays/from-string'
import { shown } from '../argument-checks.ts'
import { writeBytes } from '../cbor/writer.ts'
import { ValidationError } from '../errors.ts'
import { decodeKey, parseSubkeyId, type SubkeyId } from '../values/key.ts'
import type { Key } from '../values/value.ts'
import { writeValue } from '../values/value-writer.ts'
import { isSoundPublicKey } from './ed25519.ts'

/** The peer that owns a place (R15). */
export interface Owner {
  /** The peer id, in base58. */
  readonly id: string

  /** The peer's Ed25519 key, 32 bytes. */
  readonly publicKey: Uint8Array
}

const OPENING = '[owner:'
const TAG = /\[owner:([^\]]*)\]/g
const BRACKET = 0x5b

/** The bytes of an Ed25519 peer id before its key: an identity multihash of a libp2p public key. */
const ID_PREFIX = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20)
const PUBLIC_KEY_BYTES = 32

/** Characters of a peer id: 52 for Ed25519 keys. Decoding time grows with the square of the length. */
const MAX_ID_LENGTH = 60

/** Peer ids remembered with their keys, because decoding them is the slow part of reading a tag. */
export const MAX_KNOWN_OWNERS = 4096
const known = new Map<string, Owner>()

/**
 * Makes the tag that gives the key or subkey containing it to a peer (R15): `[owner:<peer id>]`.
 *
 * @throws TypeError for anything but a peer id
 * @throws ValidationError for a peer whose key is not Ed25519: others could not check its signatures
 */
export function ownerTag(peerId: { toString(): string }): string {
  const id = String(peerId)

  if (!/^[1-9A-HJ-NP-Za-km-z]{10,}$/.test(id)) {
    throw new TypeError(`ownerTag needs a peer id in base58, got ${shown(peerId)}`)
  }

  return `${OPENING}${ownerWithId(id).id}]`
}

/** Whether a subkey names an owner, rightly or not. */
export function isOwned(id: SubkeyId): boolean {
  return id.includes(OPENING) && tagsIn(parseSubkeyId(id)).length > 0
}

/**
 * Finds the id of the peer to which a key or subkey belongs: the way back from {@link ownerTag}. Undefined if it belongs
 * to nobody, or names two peers or one that can't own anything, so that nobody can write there.
 *
 * @throws TypeError for anything but a key
 */
export function ownerOf(name: Key): string | undefined {
  writeBytes((to) => writeValue(to, name, 'key'))

  try {
    return singleOwner(tagsIn(name))?.id
  } catch {
    return undefined
  }
}

/**
 * Finds the owner of a place (R15); undefined if it is not owned.
 *
 * @throws ValidationError if the place names two peers, or one that can't own anything
 */
export function placeOwner(key: Uint8Array, id?: SubkeyId): Owner | undefined {
  return ownerWithin(ownerOfKey(key), id)
}

/** Finds the owner that the key alone names. */
export function ownerOfKey(key: Uint8Array): Owner | undefined {
  return key.includes(BRACKET) ? singleOwner(tagsIn(decodeKey(key))) : undefined
}

/** Finds the owner of a subkey under a key that belongs to `keyOwner`. */
export function ownerWithin(keyOwner: Owner | undefined, id?: SubkeyId): Owner | undefined {
  if (id === undefined || !id.includes(OPENING)) {
    return keyOwner
  }

  return singleOwner([...(keyOwner ? [keyOwner.id] : []), ...tagsIn(parseSubkeyId(id))])
}

function singleOwner([first, ...others]: readonly string[]): Owner | undefined {
  if (first === undefined) {
    return undefined
  }

  if (others.some((id) => id !== first)) {
    throw new ValidationError('key and subkey name two different owners: a place can have only one')
  }

  return ownerWithId(first)
}

/** Finds the peer ids in the tags of all strings. */
function tagsIn(name: Key): string[] {
  if (typeof name === 'string') {
    return Array.from(name.matchAll(TAG), ([, id = '']) => id)
  }

  return Array.isArray(name) ? name.flatMap(tagsIn) : []
}

function ownerWithId(id: string): Owner {
  const owner = known.get(id) ?? { id, publicKey: decodePublicKey(id) }

  if (!known.has(id)) {
    remember(owner)
  }

  return owner
}

function remember(owner: Owner): void {
  const [oldest] = known.keys()

  if (known.size >= MAX_KNOWN_OWNERS && oldest !== undefined) {
    known.delete(oldest)
  }

  known.set(owner.id, owner)
}

/** @throws ValidationError for any id but that of an Ed25519 key */
function decodePublicKey(id: string): Uint8Array {
  const bytes = decodeId(id)
  const isEd25519 =
    bytes?.length === ID_PREFIX.length + PUBLIC_KEY_BYTES &&
    ID_PREFIX.every((byte, i) => bytes[i] === byte)

  if (!isEd25519 || !isSoundPublicKey(bytes.subarray(ID_PREFIX.length))) {
    throw new ValidationError(
      `${JSON.stringify(id.slice(0, MAX_ID_LENGTH))} can't own a place: only peers with Ed25519 keys can, whose ids begin with 12D3KooW`
    )
  }

  return bytes.slice(ID_PREFIX.length)
}

function decodeId(id: string): Uint8Array | undefined {
  try {
    return id.length > MAX_ID_LENGTH ? undefined : fromString(id, 'base58btc')
  } catch {
    return undefined
  }
}
