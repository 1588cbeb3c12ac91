import { fromString } from 'uint8arrays/from-string'
import { isSoundPublicKey } from './ed25519.ts'
import { ValidationError } from './errors.ts'
import type { Key, Owner, SubkeyId } from './interface.ts'
import { decodeKey, parseSubkeyId } from './key.ts'

const OPENING = '[owner:'
const TAG = /\[owner:([^\]]*)\]/g
const BRACKET = 0x5b

/** What an Ed25519 peer id is before its key: an identity multihash of a libp2p public key. */
const ID_PREFIX = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20)
const PUBLIC_KEY_BYTES = 32

/** Those of Ed25519 keys have 52 characters, and longer ones take ever longer to read. */
const MAX_ID_LENGTH = 60

/** Reading a peer id takes longer than all else about a tag. As many are remembered. */
const MAX_KNOWN_OWNERS = 4096
const known = new Map<string, Owner>()

/**
 * What makes the key or subkey that contains it belong to a peer (R15): `[owner:<peer id>]`.
 *
 * @throws TypeError for what is no peer id
 * @throws ValidationError for one whose key is not Ed25519: nobody could check its signatures
 */
export function ownerTag(peerId: { toString(): string }): string {
  const id = String(peerId)

  if (!/^[1-9A-HJ-NP-Za-km-z]{10,}$/.test(id)) {
    throw new TypeError(`ownerTag needs a peer id in base58, got ${id}`)
  }

  return `${OPENING}${ownerNamed(id).id}]`
}

/** Whether a subkey says that it belongs to somebody, rightly or not. */
export function isOwned(id: SubkeyId): boolean {
  return id.includes(OPENING) && tagsIn(parseSubkeyId(id)).length > 0
}

/**
 * To whom a place belongs (R15); undefined: to nobody.
 *
 * @throws ValidationError when it names two peers, or one that can't own anything
 */
export function ownerOf(key: Uint8Array, id?: SubkeyId): Owner | undefined {
  return ownerWithin(ownerOfKey(key), id)
}

/** The owner that the key alone names. */
export function ownerOfKey(key: Uint8Array): Owner | undefined {
  return key.includes(BRACKET) ? onlyOwner(tagsIn(decodeKey(key))) : undefined
}

/** The owner of a subkey under a key that belongs to `keyOwner`. */
export function ownerWithin(keyOwner: Owner | undefined, id?: SubkeyId): Owner | undefined {
  if (id === undefined || !id.includes(OPENING)) {
    return keyOwner
  }

  return onlyOwner([...(keyOwner ? [keyOwner.id] : []), ...tagsIn(parseSubkeyId(id))])
}

function onlyOwner([first, ...others]: readonly string[]): Owner | undefined {
  if (first === undefined) {
    return undefined
  }

  if (others.some((id) => id !== first)) {
    throw new ValidationError('key and subkey name two different owners: one place has one owner')
  }

  return ownerNamed(first)
}

/** The peer ids in all tags of all strings. */
function tagsIn(name: Key): string[] {
  if (typeof name === 'string') {
    return Array.from(name.matchAll(TAG), ([, id = '']) => id)
  }

  return Array.isArray(name) ? name.flatMap(tagsIn) : []
}

function ownerNamed(id: string): Owner {
  const owner = known.get(id) ?? { id, publicKey: publicKeyIn(id) }

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

function publicKeyIn(id: string): Uint8Array {
  const bytes = decoded(id)
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

function decoded(id: string): Uint8Array | undefined {
  try {
    return id.length > MAX_ID_LENGTH ? undefined : fromString(id, 'base58btc')
  } catch {
    return undefined
  }
}
