import { ed25519 } from '@noble/curves/ed25519.js'
import type { DHTRecord, SigningKey, SubkeyId } from '../src/index.ts'

/** Makes a private key like libp2p's. `seed` is the byte that it repeats. */
export function privateKeyOf(seed: number): SigningKey {
  const secret = new Uint8Array(32).fill(seed)
  return {
    type: 'Ed25519',
    publicKey: { raw: ed25519.getPublicKey(secret) },
    sign: (bytes) => ed25519.sign(bytes, secret)
  }
}

/** The private keys of the peers in `generators.ts`. */
export const ALICES_KEY: SigningKey = privateKeyOf(1)
export const BOBS_KEY: SigningKey = privateKeyOf(2)

/** Changes each entry of a record. `place` is undefined for the plain entry. */
export function tampered(
  { plain, subkeys }: DHTRecord,
  change: <T extends { expirationTime: number }>(entry: T, place?: SubkeyId) => T
): DHTRecord {
  return {
    ...(plain && { plain: change(plain) }),
    subkeys: new Map(Array.from(subkeys, ([id, entry]) => [id, change(entry, id)]))
  }
}
