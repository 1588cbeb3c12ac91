import { createPublicKey, verify } from 'node:crypto'
import { ed25519 } from '@noble/curves/ed25519.js'
import { bytesToNumberLE, numberToBytesLE } from '@noble/curves/utils.js'
import { sha512 } from '@noble/hashes/sha2.js'
import fc from 'fast-check'
import { concat } from 'uint8arrays/concat'
import { fromString } from 'uint8arrays/from-string'
import { describe, expect, it } from 'vitest'
import { verifySignature } from '../../src/replica.ts'

const { Point } = ed25519
const order = Point.Fn.ORDER
const message = fromString('waggle')
const secret = new Uint8Array(32).fill(7)
const publicKey = ed25519.getPublicKey(secret)
const signature = ed25519.sign(message, secret)
const { scalar } = ed25519.utils.getExtendedPublicKey(secret)

/** A point of order 8: added to another point, it makes a difference that only the cofactor hides. */
const torsion = Point.fromHex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a')

/** Verifies with OpenSSL. */
function byNode(key: Uint8Array, text: Uint8Array, signed: Uint8Array): boolean {
  const spki = concat([fromString('302a300506032b6570032100', 'hex'), key])
  return verify(
    null,
    text,
    createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' }),
    signed
  )
}

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  return bytes.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte))
}

/** Makes a signature with the scalar, with points of small order added to r and to the key. */
function oddSignature(r: bigint, addToR: bigint, addToKey: bigint): [Uint8Array, Uint8Array] {
  const key = Point.BASE.multiply(scalar).add(torsion.multiplyUnsafe(addToKey)).toBytes()
  const point = Point.BASE.multiply(r).add(torsion.multiplyUnsafe(addToR)).toBytes()
  const hash = Point.Fn.create(bytesToNumberLE(sha512(concat([point, key, message]))))
  return [key, concat([point, numberToBytesLE(Point.Fn.create(r + hash * scalar), 32)])]
}

describe('verifySignature', () => {
  it('accepts what the owner of the key has signed (R15)', () => {
    expect(verifySignature(publicKey, message, signature)).toBe(true)
    expect(byNode(publicKey, message, signature)).toBe(true)
  })

  it('refuses it with any bit changed, in whatever part (R15)', () => {
    const bits = fc.record({ part: fc.constantFrom(0, 1, 2), bit: fc.nat(511) })

    fc.assert(
      fc.property(bits, ({ part, bit }) => {
        const parts = [publicKey, message, signature]
        const [key, text, signed] = parts.map((bytes, i) =>
          i === part ? flipped(bytes, bit % (8 * bytes.length)) : bytes
        ) as [Uint8Array, Uint8Array, Uint8Array]

        expect(verifySignature(key, text, signed)).toBe(false)
        expect(byNode(key, text, signed)).toBe(false)
      }),
      { numRuns: 200 }
    )
  })

  it('refuses a second form of the same signature (R15)', () => {
    const s = bytesToNumberLE(signature.subarray(32)) + order
    const malleable = concat([signature.subarray(0, 32), numberToBytesLE(s, 32)])

    expect(verifySignature(publicKey, message, malleable)).toBe(false)
    expect(byNode(publicKey, message, malleable)).toBe(false)
  })

  it.each([
    ['too short', signature.subarray(0, 63)],
    ['too long', concat([signature, Uint8Array.of(0)])],
    ['empty', new Uint8Array(0)]
  ])('refuses one that is %s', (_, signed) => {
    expect(verifySignature(publicKey, message, signed)).toBe(false)
  })

  it('agrees with OpenSSL about keys and points of small order, on which others differ (R15)', () => {
    let byCofactorOnly = 0

    for (let r = 1n; r <= 4n; r++) {
      for (let i = 0n; i < 8n; i++) {
        for (const j of [0n, 1n, 4n]) {
          const [key, signed] = oddSignature(r, i, j)
          const isAccepted = byNode(key, message, signed)

          expect(verifySignature(key, message, signed)).toBe(isAccepted)
          byCofactorOnly += Number(!isAccepted && ed25519.verify(signed, message, key))
        }
      }
    }

    expect(byCofactorOnly).toBeGreaterThan(10)
  })

  it('agrees with OpenSSL about random bytes', () => {
    const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })

    fc.assert(
      fc.property(bytes(32), bytes(64), (key, signed) => {
        expect(verifySignature(key, message, signed)).toBe(byNode(key, message, signed))
      }),
      { numRuns: 200 }
    )
  })
})
