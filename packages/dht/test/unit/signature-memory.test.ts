import { describe, expect, it } from 'vitest'
import { digestOf, fastVerify } from '../../src/checks/native-crypto.ts'
import { SignatureMemory } from '../../src/checks/signature-memory.ts'
import { owner } from '../support/owners.ts'

const bytes = (...values: number[]) => Uint8Array.from(values)
const key = bytes(1)

function memory(maxSignatures: number, isGood = true) {
  const verified: number[] = []
  const signatures = new SignatureMemory({
    verify: (_, [first = -1]) => {
      verified.push(first)
      return isGood
    },
    digestOf,
    maxSignatures
  })
  return { signatures, verified, see: (n: number) => signatures.verify(key, bytes(n), bytes(0)) }
}

describe('SignatureMemory', () => {
  it('verifies a good signature once (R15)', () => {
    const { see, verified } = memory(10)

    expect([see(1), see(1), see(2), see(1)]).toEqual([true, true, true, true])
    expect(verified).toEqual([1, 2])
  })

  it('verifies bad ones again and again, and remembers none of them (R15)', () => {
    const { see, verified, signatures } = memory(10, false)

    expect([see(1), see(1)]).toEqual([false, false])
    expect(verified).toEqual([1, 1])
    expect(signatures.size).toBe(0)
  })

  it('takes nothing for verified that differs in whatever part (R15)', () => {
    const { signatures, verified } = memory(10)

    for (const [publicKey, message, signature] of [
      [bytes(1), bytes(2), bytes(3)],
      [bytes(9), bytes(2), bytes(3)],
      [bytes(1), bytes(9), bytes(3)],
      [bytes(1), bytes(2), bytes(9)]
    ] as const) {
      signatures.verify(publicKey, message, signature)
    }

    expect(verified).toHaveLength(4)
  })

  it('remembers no more than it may, and longest what is needed (N9)', () => {
    const { see, verified, signatures } = memory(10)

    for (let n = 0; n < 100; n++) {
      see(200)
      see(n)
      expect(signatures.size).toBeLessThanOrEqual(10)
    }

    expect(verified.filter((n) => n === 200)).toHaveLength(1)
    see(0)
    expect(verified.filter((n) => n === 0)).toHaveLength(2)
  })
})

describe('fastVerify', () => {
  it('knows good signatures from bad ones (R15)', async () => {
    const { privateKey } = await owner(1)
    const message = bytes(1, 2, 3)
    const signature = await privateKey.sign(message)
    const { raw } = privateKey.publicKey

    expect(fastVerify(raw, message, signature)).toBe(true)
    expect(fastVerify(raw, bytes(1, 2), signature)).toBe(false)
    expect(fastVerify(raw, message, signature.slice(1))).toBe(false)
    expect(fastVerify(new Uint8Array(32).fill(2), message, signature)).toBe(false)
  })
})
