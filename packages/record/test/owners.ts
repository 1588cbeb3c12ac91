import { ed25519 } from '@noble/curves/ed25519.js'
import type { DHTRecord, SigningKey, SubkeyId } from '../src/index.ts'

/** A private key as libp2p has them; `seed` is the byte that it repeats. */
export function keyOf(seed: number): SigningKey {
  const secret = new Uint8Array(32).fill(seed)
  return {
    type: 'Ed25519',
    publicKey: { raw: ed25519.getPublicKey(secret) },
    sign: (bytes) => ed25519.sign(bytes, secret)
  }
}

/** Those of the peers in `generators.ts`. */
export const ALICES_KEY: SigningKey = keyOf(1)
export const BOBS_KEY: SigningKey = keyOf(2)

/** The record with each entry changed; the place says where it is. */
export function tampered(
  { plain, subkeys }: DHTRecord,
  change: <T extends { expirationTime: number }>(entry: T, place?: SubkeyId) => T
): DHTRecord {
  return {
    ...(plain && { plain: change(plain) }),
    subkeys: new Map(Array.from(subkeys, ([id, entry]) => [id, change(entry, id)]))
  }
}
