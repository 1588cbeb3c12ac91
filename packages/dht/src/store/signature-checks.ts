import type { MaybePromise, VerifySignature } from '@waggle/record'
import { assertSigned, type SignedEntry } from '@waggle/record/replica'
import { concat } from 'uint8arrays/concat'
import { MAX_REMEMBERED_SIGNATURES } from '../constants.ts'
import { digestOf } from '../peers/digest-of.ts'
import { atEndOfTurn } from '../timing/end-of-turn.ts'
import { fastVerify, verifyInThread } from './native-ed25519.ts'
import { SignatureMemory } from './signature-memory.ts'

/** How long signatures are verified in one turn of the event loop. */
const TURN_MS = 2

/** How many signatures of one record threads are given at once: others need them, too. */
const IN_THREADS = 16

export interface SignatureChecksInit {
  readonly verify: VerifySignature

  /** Does the same without keeping anybody waiting. */
  readonly verifyLater: (...signed: Parameters<VerifySignature>) => Promise<boolean>
  readonly maxSignatures: number
}

/**
 * Verifies owners' signatures, those that it has not seen before: a few at once, and what would
 * keep other work waiting in other threads, or where there are none bit by bit.
 */
export class SignatureChecks {
  readonly #init: SignatureChecksInit
  readonly #memory: SignatureMemory
  #spentMs = 0

  constructor(init: Partial<SignatureChecksInit> = {}) {
    this.#init = {
      verify: fastVerify,
      verifyLater: verifyInThread ?? verifyInTurn,
      maxSignatures: MAX_REMEMBERED_SIGNATURES,
      ...init
    }
    this.#memory = new SignatureMemory(this.#init)
  }

  /** Verifies at once, whatever it takes. */
  readonly verify: VerifySignature = (publicKey, message, signature) => {
    const digest = digestOf(concat([publicKey, signature, message]))

    if (this.#memory.has(digest)) {
      return true
    }

    const startMs = performance.now()
    const isGood = this.#init.verify(publicKey, message, signature)
    this.#spend(performance.now() - startMs)

    if (isGood) {
      this.#memory.add(digest)
    }

    return isGood
  }

  /** @throws ValidationError, or rejects with it, unless all of them are good */
  check(signed: readonly SignedEntry[]): MaybePromise<void> {
    for (const [i, one] of signed.entries()) {
      if (this.#spentMs > TURN_MS && !this.#memory.has(digestOfEntry(one))) {
        return this.#checkLater(signed.slice(i))
      }

      assertSigned(one, this.verify)
    }
  }

  async #checkLater(signed: readonly SignedEntry[]): Promise<void> {
    for (let i = 0; i < signed.length; i += IN_THREADS) {
      await Promise.all(signed.slice(i, i + IN_THREADS).map((one) => this.#checkOneLater(one)))
    }
  }

  async #checkOneLater(one: SignedEntry): Promise<void> {
    const { owner, message, signature } = one
    const digest = digestOfEntry(one)

    if (!this.#memory.has(digest)) {
      const isGood = await this.#init.verifyLater(owner.publicKey, message, signature)
      assertSigned(one, () => isGood)
      this.#memory.add(digest)
    }
  }

  #spend(ms: number): void {
    if (this.#spentMs === 0) {
      atEndOfTurn(() => {
        this.#spentMs = 0
      })
    }

    this.#spentMs += ms
  }
}

function digestOfEntry({ owner, message, signature }: SignedEntry): string {
  return digestOf(concat([owner.publicKey, signature, message]))
}

async function verifyInTurn(...signed: Parameters<VerifySignature>): Promise<boolean> {
  await new Promise((resolve) => setTimeout(resolve))
  return fastVerify(...signed)
}
