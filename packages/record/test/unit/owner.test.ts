import { concat } from 'uint8arrays/concat'
import { fromString } from 'uint8arrays/from-string'
import { toString as stringOf } from 'uint8arrays/to-string'
import { describe, expect, it } from 'vitest'
import { type Key, ownerTag, recordKey, ValidationError } from '../../src/index.ts'
import { isOwned, MAX_KNOWN_OWNERS } from '../../src/owner/owner.ts'
import { placeOwner, subkeyId } from '../../src/replica.ts'
import { ALICE, BOB } from '../generators.ts'

const RSA = 'QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N'
const SECP256K1 = '16Uiu2HAkzMTrHYKzEVgaxNJyrCFsSu7gGBqhVxsyHYVbF3nXBPnG'

describe('ownerTag', () => {
  it('names the peer (R15)', () => {
    expect(ownerTag(ALICE)).toBe(`[owner:${ALICE}]`)
    expect(ownerTag({ toString: () => ALICE })).toBe(`[owner:${ALICE}]`)
  })

  it.each([
    ['an RSA key', RSA],
    ['a secp256k1 key', SECP256K1],
    ['a cut-off key', ALICE.slice(0, -1)],
    ['a key with a character too many', `${ALICE}1`]
  ])('refuses a peer with %s, whose signatures others could not check (R15)', (_, id) => {
    expect(() => ownerTag(id)).toThrow(ValidationError)
    expect(() => ownerTag(id)).toThrow(/only peers with Ed25519 keys can/)
  })

  it.each([[''], ['alice'], [`[owner:${ALICE}]`], [42], [{}]])(
    'refuses %j, which is not a peer id',
    (id) => {
      expect(() => ownerTag(id)).toThrow(TypeError)
    }
  )
})

describe('placeOwner', () => {
  const tag = ownerTag(ALICE)
  const owner = (key: Key, subkey?: Key): string | undefined =>
    placeOwner(recordKey(key), subkey === undefined ? undefined : subkeyId(subkey))?.id

  it.each<[string, Key]>([
    ['is the tag', tag],
    ['begins with it', `${tag}/profile`],
    ['ends with it', `profile/${tag}`],
    ['holds it twice', `${tag}${tag}`],
    ['is an array with it', ['profile', 1, `of ${tag}`]],
    ['has it deep inside', [[['profile', [tag]]]]]
  ])('finds the owner in a key or subkey that %s (R15)', (_, name) => {
    expect(owner(name)).toBe(ALICE)
    expect(owner('party', name)).toBe(ALICE)
    expect(owner(name, name)).toBe(ALICE)
  })

  it('gives everything under an owned key to its owner (R15)', () => {
    expect(owner(tag, 'friends')).toBe(ALICE)
    expect(owner(tag)).toBe(ALICE)
  })

  it.each<[string, Key]>([
    ['a bracket', 'a[0]'],
    ['half a tag', `[owner:${ALICE}`],
    ['a tag in another spelling', `[Owner:${ALICE}]`],
    ['a tag in bytes', new TextEncoder().encode(tag)],
    ['a tag in two halves', ['[owner:', `${ALICE}]`]]
  ])('finds no owner in %s (R15)', (_, name) => {
    expect(owner(name, name)).toBeUndefined()
    expect(isOwned(subkeyId(name))).toBe(false)
  })

  it.each<[string, Key]>([
    ['an RSA peer', `[owner:${RSA}]`],
    ['a secp256k1 peer', `[owner:${SECP256K1}]`],
    ['nobody', '[owner:]'],
    ['a tag in a tag', `[owner:${ownerTag(ALICE)}]`],
    ['a very long name', `[owner:${'1'.repeat(150)}]`],
    ['a peer, and a broken tag', `${ownerTag(ALICE)}[owner:alice]`]
  ])('refuses the tag of %s, where nobody can write (R15)', (_, name) => {
    expect(() => owner(name)).toThrow(ValidationError)
    expect(() => owner('party', name)).toThrow(ValidationError)
    expect(isOwned(subkeyId(name))).toBe(true)
  })

  it('remembers a bounded number of owners, the latest ones (R15)', () => {
    const [first = '', ...others] = peerIds(MAX_KNOWN_OWNERS + 1)
    const ownerWithId = (id: string) => placeOwner(recordKey(`[owner:${id}]`))
    const owner = ownerWithId(first)

    expect(ownerWithId(first)).toBe(owner)
    others.map(ownerWithId)
    expect(ownerWithId(others.at(-1) ?? '')).toBe(ownerWithId(others.at(-1) ?? ''))
    expect(ownerWithId(first)).not.toBe(owner)
    expect(ownerWithId(first)).toStrictEqual(owner)
  })

  it('refuses two owners in one place (R15)', () => {
    expect(() => owner(ownerTag(ALICE), ownerTag(BOB))).toThrow(/two different owners/)
    expect(() => owner(ownerTag(ALICE) + ownerTag(BOB))).toThrow(ValidationError)
    expect(() => owner('party', [ownerTag(ALICE), ownerTag(BOB)])).toThrow(ValidationError)
  })

  it('refuses keys that several peers could sign for (R15)', () => {
    // Base58 of the peer ids whose keys are the points of order 1, 2 and 4, and one of y ≥ p.
    for (const id of SHARED_KEYS) {
      expect(() => owner(`[owner:${id}]`)).toThrow(ValidationError)
    }
  })
})

/** Makes ids of peers with different keys. Nobody may have their private keys. */
function peerIds(count: number): string[] {
  const prefix = fromString('002408011220', 'hex')

  return Array.from({ length: count }, (_, i) => {
    const key = new Uint8Array(32)
    new DataView(key.buffer).setUint32(0, i + 2)
    return stringOf(concat([prefix, key]), 'base58btc')
  })
}

const SHARED_KEYS = ['01', '00', 'ecff', 'eeff'].map((start) => idOf(start))

/** A peer id with the key that begins so and goes on with the last of the bytes. */
function idOf(start: string): string {
  const filler = start.length > 2 ? 'ff' : '00'
  const end = start.length > 2 ? '7f' : '00'
  const hex = `002408011220${start.padEnd(62, filler)}${end}`
  const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
  let text = ''

  for (let n = BigInt(`0x${hex}`); n > 0n; n /= 58n) {
    text = alphabet[Number(n % 58n)] + text
  }

  return `1${text}`
}
