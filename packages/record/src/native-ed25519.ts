import { concat } from 'uint8arrays/concat'
import { fromString } from 'uint8arrays/from-string'
import { verifySignature } from './ed25519.ts'
import type { VerifySignature } from './interface.ts'

/*
 * What the platform does faster: Node's OpenSSL verifies a signature in a tenth of the time, and
 * agrees with ours about all of them. Everywhere else the pure function does.
 */

const node = globalThis.process?.getBuiltinModule?.('node:crypto')

type KeyObject = ReturnType<NonNullable<typeof node>['createPublicKey']>

/** What comes before an Ed25519 key to make it a SubjectPublicKeyInfo (RFC 8410 §10.1). */
const SPKI_PREFIX = fromString('302a300506032b6570032100', 'hex')

/** Owners' keys are the same arrays again and again, and take a while to read. */
const keys = new WeakMap<Uint8Array, KeyObject>()

/** Verifies as {@link verifySignature} does, by what is fastest here. */
export const fastVerify: VerifySignature =
  node === undefined
    ? verifySignature
    : (publicKey, message, signature) =>
        node.verify(null, message, keyObjectOf(publicKey), signature)

/** The same by another thread, where there are some. */
export const verifyInThread:
  | ((...signed: Parameters<VerifySignature>) => Promise<boolean>)
  | undefined =
  node &&
  ((publicKey, message, signature) =>
    new Promise((resolve, reject) => {
      node.verify(null, message, keyObjectOf(publicKey), signature, (error, isGood) =>
        error === null ? resolve(isGood) : reject(error)
      )
    }))

function keyObjectOf(publicKey: Uint8Array): KeyObject {
  const known = keys.get(publicKey)

  if (known !== undefined || node === undefined) {
    return known as KeyObject
  }

  const key = Buffer.from(concat([SPKI_PREFIX, publicKey]))
  const made = node.createPublicKey({ key, format: 'der', type: 'spki' })
  keys.set(publicKey, made)
  return made
}
