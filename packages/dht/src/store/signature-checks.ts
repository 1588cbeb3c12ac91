import type { MaybePromise, VerifySignature } from '@waggle/record'
import { assertSigned, type SignedEntry } from '@waggle/record/replica'
import { concat } from 'uint8arrays/concat'
import { BoundedMap } from '../collections/bounded-map.ts'
import { MAX_REMEMBERED_SIGNATURES } from '../constants.ts'
import { sha256Text } from '../sha256.ts'
import { nextTask } from '../timing/end-of-turn.ts'
import { TurnBudget } from '../timing/turn-budget.ts'
import { fastVerify, verifyInThread } from './native-ed25519.ts'

/** Milliseconds of each turn of the event loop in which signatures are verified inline. */
const TURN_MS = 2

/** Signatures of one record that are verified in threads at the same time: other records need threads, too. */
const IN_THREADS = 16

export interface SignatureChecksInit {
  readonly verify: VerifySignature

  /** Verifies without blocking the event loop. */
  readonly verifyLater: (...signed: Parameters<VerifySignature>) => Promise<boolean>
  readonly maxSignatures: number
}

/**
 * Verifies owners' signatures that it has not seen before: inline while there is time in this turn,
 * then in threads, or one per task where there are no threads.
 */
export class SignatureChecks {
  readonly #init: SignatureChecksInit

  /**
   * Digests of all that was verified and found good. Most records arrive several times, on
   * different ways. The digest that was needed longest ago is forgotten first.
   */
  readonly #verified: BoundedMap<string, true>
  readonly #budget = new TurnBudget()

  constructor(init: Partial<SignatureChecksInit> = {}) {
    this.#init = {
      verify: fastVerify,
      verifyLater: verifyInThread ?? verifyInTask,
      maxSignatures: MAX_REMEMBERED_SIGNATURES,
      ...init
    }
    this.#verified = new BoundedMap({ maxSize: this.#init.maxSignatures })
  }

  /** Verifies inline, however long it takes. */
  readonly verify: VerifySignature = (publicKey, message, signature) => {
    const digest = sha256Text(concat([publicKey, signature, message]))

    if (this.#isVerified(digest)) {
      return true
    }

    const startMs = performance.now()
    const isGood = this.#init.verify(publicKey, message, signature)
    this.#budget.spend(performance.now() - startMs)

    if (isGood) {
      this.#verified.set(digest, true)
    }

    return isGood
  }

  /** @throws ValidationError, or rejects with it, unless all of them are good */
  check(signed: readonly SignedEntry[]): MaybePromise<void> {
    for (const [i, one] of signed.entries()) {
      if (this.#budget.spentMs > TURN_MS && !this.#isVerified(digestOfEntry(one))) {
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

    if (!this.#isVerified(digest)) {
      const isGood = await this.#init.verifyLater(owner.publicKey, message, signature)
      assertSigned(one, () => isGood)
      this.#verified.set(digest, true)
    }
  }

  #isVerified(digest: string): boolean {
    return this.#verified.touch(digest) === true
  }
}

function digestOfEntry({ owner, message, signature }: SignedEntry): string {
  return sha256Text(concat([owner.publicKey, signature, message]))
}

async function verifyInTask(...signed: Parameters<VerifySignature>): Promise<boolean> {
  await nextTask()
  return fastVerify(...signed)
}
