import type { VerifySignature } from '@waggle/record'
import { verifySignature } from '@waggle/record/replica'
import { concat } from 'uint8arrays/concat'
import { fromString } from 'uint8arrays/from-string'

/*
 * Node's OpenSSL verifies a signature in a tenth of the time that JavaScript takes, and agrees with
 * `verifySignature` about every signature. Other platforms use `verifySignature` itself.
 */

const node = globalThis.process?.getBuiltinModule?.('node:crypto')

type KeyObject = ReturnType<NonNullable<typeof node>['createPublicKey']>

/** The bytes that turn an Ed25519 key into a SubjectPublicKeyInfo (RFC 8410 §10.1). */
const SPKI_PREFIX = fromString('302a300506032b6570032100', 'hex')

/** Parsed keys. Owners' keys are the same arrays repeatedly, and parsing one is slow. */
const keys = new WeakMap<Uint8Array, KeyObject>()

/** Threads of Node's pool if the environment does not set them. */
const DEFAULT_THREADS = 4

const { UV_THREADPOOL_SIZE } = globalThis.process?.env ?? {}

/**
 * Signatures verified at the same time: in half of the threads, because the disk uses the others. An acknowledged
 * write waits for the disk, and must not wait for strangers' signatures.
 */
export const THREADS_FOR_SIGNATURES: number = Math.max(
  1,
  Math.floor((Number(UV_THREADPOOL_SIZE) || DEFAULT_THREADS) / 2)
)

/** Verifies a signature as {@link verifySignature} does, with the fastest available implementation. */
export const fastVerify: VerifySignature =
  node === undefined
    ? verifySignature
    : (publicKey, message, signature) =>
        node.verify(null, message, keyObjectOf(publicKey), signature)

/** Verifies a signature in another thread; undefined on platforms without threads. */
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
  const parsed = node.createPublicKey({ key, format: 'der', type: 'spki' })
  keys.set(publicKey, parsed)
  return parsed
}
