import { ValidationError } from '@waggle/record'
import type { SignedEntry } from '@waggle/record/replica'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { THREADS_FOR_SIGNATURES } from '../../src/store/native-ed25519.ts'
import { ForgedSignatureError, SignatureChecks } from '../../src/store/signature-checks.ts'
import { turns } from '../support/end-of-turn.ts'

const bytes = (...values: number[]) => Uint8Array.from(values)
const key = bytes(1)

/** Time of the process's clock, which only signatures move. */
let nowMs = 0

beforeEach(() => {
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs)
})

afterEach(() => {
  vi.restoreAllMocks()
})

/** Makes checks by which all signatures are valid, or none. */
function checks(isGood = true, msEach = 0, maxSignatures = 1000) {
  const verified: number[] = []
  const later: number[] = []
  const signatures = new SignatureChecks({
    verify: (_, [first = -1]) => {
      verified.push(first)
      nowMs += msEach
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

    expect(signatures.check(entries(1), 'peer')).toBeUndefined()
    await signatures.check(entries(1, 2, 3), 'peer')
    expect([verified, later]).toEqual([[1], [2, 3]])

    expect(signatures.check(entries(1, 2, 3), 'peer')).toBeUndefined()
    await turns()
    expect(signatures.check(entries(4), 'peer')).toBeUndefined()
    expect([verified, later]).toEqual([
      [1, 4],
      [2, 3]
    ])
  })

  it('rejects for a bad one among those that it left to others (R15)', async () => {
    const { signatures, see } = checks(false, 3)
    see(1)
    const checked = (async () => signatures.check(entries(2), 'peer'))()

    await expect(checked).rejects.toThrow(ValidationError)
    await turns()
    expect(() => signatures.check(entries(2), 'peer')).toThrow(ValidationError)
  })

  it('has half of the threads at most, and gives each peer its turn (N13i)', async () => {
    let running = 0
    let most = 0
    const order: number[] = []
    const signatures = new SignatureChecks({
      verify: () => {
        nowMs += 3
        return true
      },
      verifyLater: async (_, [first = -1]) => {
        order.push(first)
        most = Math.max(most, ++running)
        await turns()
        running--
        return true
      }
    })
    await signatures.check(entries(0), 'first')
    const flood = Array.from({ length: 50 }, (_, n) => signatures.check(entries(n + 1), 'flood'))
    await Promise.all([signatures.check(entries(100), 'honest'), ...flood])

    expect(most).toBe(THREADS_FOR_SIGNATURES)
    expect(order.indexOf(100)).toBeLessThanOrEqual(2 * THREADS_FOR_SIGNATURES)
  })

  it('makes no error for each forged signature (N13i)', async () => {
    const { signatures } = checks(false)
    const errors = [1, 2].map((n) => {
      try {
        return signatures.check(entries(n), 'peer')
      } catch (error) {
        return error
      }
    })

    expect(errors[0]).toBeInstanceOf(ForgedSignatureError)
    expect(errors[1]).toBe(errors[0])
  })

  it('verifies no more of a record once one is forged', async () => {
    const { signatures, see, later } = checks(false, 3)
    see(1)
    await expect(
      (async () => signatures.check(entries(...Array(100).keys()), 'peer'))()
    ).rejects.toThrow(ForgedSignatureError)
    expect(later.length).toBeLessThanOrEqual(THREADS_FOR_SIGNATURES)
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
