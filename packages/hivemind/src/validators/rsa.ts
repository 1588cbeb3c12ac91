import type { PrivateKey } from '@libp2p/interface'
import { fromString } from 'uint8arrays/from-string'
import { toString as stringOf } from 'uint8arrays/to-string'
import { bytesOf, textOf } from '../bytes/latin1.ts'
import { toError } from '../errors.ts'
import { TUPLE_TYPE } from '../msgpack/limits.ts'
import { MsgpackWriter } from '../msgpack/msgpack-writer.ts'
import type { HivemindSubmission, HivemindValidator } from './interface.ts'
import { type RsaPrivateKey, type RsaPublicKey, rsaPrivateKey, rsaPublicKey } from './rsa-keys.ts'
import { tagsIn, withoutTags } from './tags.ts'

const OWNER = '[owner:'
const SIGNATURE = '[signature:'

/** Public keys remembered, ready for use. */
const MAX_KEYS = 256

/** Options of `rsaSignatures`. */
export interface RsaSignaturesOptions {
  /** This process's RSA key, such as `await generateKeyPair('RSA', 2048)` of `@libp2p/crypto`. */
  readonly privateKey: PrivateKey
}

/** Signs the values of subkeys that contain its {@link RsaSignatures.ownerTag}. */
export interface RsaSignatures extends HivemindValidator {
  /** `[owner:ssh-rsa …]`. In a subkey it protects the entry; in a key it protects nothing. */
  readonly ownerTag: string
}

/**
 * Hivemind's RSASignatureValidator for a writer. Other peers' signatures are always verified, with it or without.
 *
 * @throws TypeError for a key that is not of type RSA
 */
export function rsaSignatures({ privateKey }: RsaSignaturesOptions): RsaSignatures {
  if (Object(privateKey).type !== 'RSA') {
    throw new TypeError(
      `privateKey must be of type RSA, such as await generateKeyPair('RSA', 2048), got ${Object(privateKey).type}`
    )
  }

  return new Signatures(rsaPrivateKey(privateKey.raw))
}

class Signatures implements RsaSignatures {
  readonly name = 'rsaSignatures'
  readonly ownerTag: string
  readonly #key: RsaPrivateKey

  constructor(key: RsaPrivateKey) {
    this.#key = key
    this.ownerTag = `${OWNER}${key.publicKey}]`
  }

  async sign(submission: HivemindSubmission): Promise<Uint8Array> {
    const { subkey, value } = submission

    if (hasTag(textOf(value), SIGNATURE)) {
      // Verifiers would cut such a text out of any value.
      throw new TypeError('the value holds [signature:…], which readers would take for a signature')
    }

    if (!textOf(subkey).includes(this.ownerTag)) {
      return value
    }

    const signature = await this.#key.sign(signedMessage(submission))
    return signedValue(value, signature)
  }
}

/** The signed message: Python's tuple of the four parts. */
export function signedMessage({
  key,
  subkey,
  value,
  expirationTime
}: HivemindSubmission): Uint8Array {
  const parts = new MsgpackWriter()
  parts.arrayHead(4)
  parts.bin(key)
  parts.bin(subkey)
  parts.bin(value)
  parts.float(expirationTime)
  const message = new MsgpackWriter()
  message.extension(TUPLE_TYPE, parts.finish())
  return message.finish()
}

function signedValue(value: Uint8Array, signature: Uint8Array): Uint8Array {
  const text = `[signature:${stringOf(signature, 'base64pad')}]`
  return bytesOf(textOf(value) + text)
}

/** Whether a subkey names an owner, so that its entry must be signed. */
export function isProtected(subkey: string): boolean {
  return hasTag(subkey, OWNER)
}

const keys = new Map<string, Promise<RsaPublicKey>>()

/**
 * Verifies the signature of an entry whose subkey names an owner, and returns the value without it. Never throws:
 * returns a string with the fault.
 */
export async function verified(submission: HivemindSubmission): Promise<Uint8Array | string> {
  const owners = new Set(
    Array.from(tagsIn(textOf(submission.subkey), OWNER), ({ content }) => content)
  )
  const [owner = ''] = owners

  if (owners.size !== 1) {
    return `the subkey names ${owners.size} owners`
  }

  const signatures = [...tagsIn(textOf(submission.value), SIGNATURE)]

  if (signatures.length !== 1) {
    return `the value has ${signatures.length} signatures, not one`
  }

  const value = withoutSignature(submission.value)

  try {
    const key = await keyOf(owner)
    const signature = fromString(signatures[0]?.content ?? '', 'base64pad')
    const isTrue = await key.verify(signedMessage({ ...submission, value }), signature)
    return isTrue ? value : 'the signature is not the owner’s'
  } catch (error) {
    return `the signature cannot be verified: ${toError(error).message}`
  }
}

/** Removes signatures from a value. */
export function withoutSignature(value: Uint8Array): Uint8Array {
  return bytesOf(withoutTags(textOf(value), SIGNATURE))
}

function hasTag(text: string, head: string): boolean {
  return tagsIn(text, head).next().done !== true
}

function keyOf(owner: string): Promise<RsaPublicKey> {
  const known = keys.get(owner)

  if (known !== undefined) {
    return known
  }

  const [oldest] = keys.keys()

  if (keys.size >= MAX_KEYS && oldest !== undefined) {
    keys.delete(oldest)
  }

  const key = rsaPublicKey(owner)
  keys.set(owner, key)
  return key
}
