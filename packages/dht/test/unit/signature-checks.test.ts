import { ValidationError } from '@waggle/record'
import type { SignedEntry } from '@waggle/record/replica'
import { describe, expect, it } from 'vitest'
import { SignatureChecks } from '../../src/store/signature-checks.ts'
import { turns } from '../support/end-of-turn.ts'

const bytes = (...values: number[]) => Uint8Array.from(values)
const key = bytes(1)

/** Whose signatures are all good, or all bad. */
function checks(isGood = true, msEach = 0, maxSignatures = 1000) {
  const verified: number[] = []
  const later: number[] = []
  const signatures = new SignatureChecks({
    verify: (_, [first = -1]) => {
      verified.push(first)
      for (const untilMs = performance.now() + msEach; performance.now() < untilMs; );
      return isGood
    },
    verifyLater: async (_, [first = -1]) => {
      later.push(first)
      return isGood
    },
    maxSignatures
  })
  return {
    signatures,
    verified,
    later,
    see: (n: number) => signatures.verify(key, bytes(n), bytes(0))
  }
}

function entries(...messages: number[]): SignedEntry[] {
  return messages.map((n) => ({
    owner: { id: 'somebody', publicKey: key },
    message: bytes(n),
    signature: bytes(0)
  }))
}

describe('SignatureChecks', () => {
  it('verifies a good signature once (R15)', () => {
    const { see, verified } = checks()

    expect([see(1), see(1), see(2), see(1)]).toEqual([true, true, true, true])
    expect(verified).toEqual([1, 2])
  })

  it('verifies bad ones again and again (R15)', () => {
    const { see, verified } = checks(false)

    expect([see(1), see(1)]).toEqual([false, false])
    expect(verified).toEqual([1, 1])
  })

  it('takes nothing for verified that differs in whatever part (R15)', () => {
    const { signatures, verified } = checks()

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

  it('checks a few at once, and leaves to others what would keep other work waiting (N9f)', async () => {
    const { signatures, verified, later } = checks(true, 3)

    expect(signatures.check(entries(1))).toBeUndefined()
    await signatures.check(entries(1, 2, 3))
    expect([verified, later]).toEqual([[1], [2, 3]])

    expect(signatures.check(entries(1, 2, 3))).toBeUndefined()
    await turns()
    expect(signatures.check(entries(4))).toBeUndefined()
    expect([verified, later]).toEqual([
      [1, 4],
      [2, 3]
    ])
  })

  it('rejects for a bad one among those that it left to others (R15)', async () => {
    const { signatures, see } = checks(false, 3)
    see(1)
    const checked = (async () => signatures.check(entries(2)))()

    await expect(checked).rejects.toThrow(ValidationError)
    await turns()
    expect(() => signatures.check(entries(2))).toThrow(ValidationError)
  })

  it('remembers no more than it may, and longest what is needed (N9d)', () => {
    const { see, verified } = checks(true, 0, 10)

    for (let n = 1; n <= 100; n++) {
      see(0)
      see(n)
    }

    expect(verified).toEqual(Array.from({ length: 101 }, (_, n) => n))
    see(91)
    expect(verified).toHaveLength(102)
    see(100)
    see(0)
    expect(verified).toHaveLength(102)
  })
})
