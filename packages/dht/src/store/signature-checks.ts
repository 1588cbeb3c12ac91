import { type MaybePromise, ValidationError, type VerifySignature } from '@waggle/record'
import type { SignedEntry } from '@waggle/record/replica'
import { concat } from 'uint8arrays/concat'
import type { CpuShares } from '../admission/cpu-shares.ts'
import { TaskQueue } from '../admission/task-queue.ts'
import { BoundedMap } from '../collections/bounded-map.ts'
import { MAX_REMEMBERED_SIGNATURES } from '../constants.ts'
import { sha256Text } from '../sha256.ts'
import { nextTask } from '../timing/end-of-turn.ts'
import { TurnBudget } from '../timing/turn-budget.ts'
import { fastVerify, THREADS_FOR_SIGNATURES, verifyInThread } from './native-ed25519.ts'

/** Milliseconds of each turn of the event loop in which signatures are verified inline. */
const TURN_MS = 2

/** Estimated milliseconds of one signature, before the first measurement. */
const EXPECTED_MS = 0.1

/** Weight of the latest signature in the average time. */
const LATEST_WEIGHT = 0.05

/**
 * A signature that is not the owner's. Honest nodes never pass one on, because each verifies the records that it
 * accepts.
 */
export class ForgedSignatureError extends ValidationError {}

/**
 * A single instance: there may be very many forged signatures, and creating a stack takes longer than rejecting
 * one.
 */
const FORGED = new ForgedSignatureError('a signature is not that of the owner of its place')

export interface SignatureChecksInit {
  readonly verify: VerifySignature

  /** Verifies without blocking the event loop. */
  readonly verifyLater: (...signed: Parameters<VerifySignature>) => Promise<boolean>
  readonly maxSignatures: number

  /** Each peer's use of this node's time, to which its signatures are added. @default an instance of its own */
  readonly shares?: CpuShares | undefined
}

/**
 * Verifies new signatures: inline while there is time in this turn, then in threads, or one per task without
 * threads. The peers that sent them take turns.
 */
export class SignatureChecks {
  readonly #init: SignatureChecksInit

  /**
   * Digests of valid signatures. Most records arrive several times, on different paths. The least recently used
   * digest is evicted first.
   */
  readonly #verified: BoundedMap<string, true>
  readonly #budget = new TurnBudget()
  readonly #queue: TaskQueue
  #averageMs = EXPECTED_MS

  constructor(init: Partial<SignatureChecksInit> = {}) {
    this.#init = {
      verify: fastVerify,
      verifyLater: verifyInThread ?? verifyInTask,
      maxSignatures: MAX_REMEMBERED_SIGNATURES,
      ...init
    }
    this.#verified = new BoundedMap({ maxSize: this.#init.maxSignatures })
    this.#queue = new TaskQueue({
      maxRunning: THREADS_FOR_SIGNATURES,
      costMs: () => this.#averageMs,
      shares: init.shares
    })
  }

  /** Verifies inline, however long it takes. */
  readonly verify: VerifySignature = (publicKey, message, signature) => {
    const digest = sha256Text(concat([publicKey, signature, message]))

    if (this.#isVerified(digest)) {
      return true
    }

    const startMs = performance.now()
    const isGood = this.#init.verify(publicKey, message, signature)
    const tookMs = performance.now() - startMs
    this.#budget.spend(tookMs)
    this.#averageMs += LATEST_WEIGHT * (Math.min(tookMs, TURN_MS) - this.#averageMs)

    if (isGood) {
      this.#verified.set(digest, true)
    }

    return isGood
  }

  /**
   * Verifies the signatures in a peer's record.
   *
   * @throws ForgedSignatureError, or rejects with it, unless all of them are valid
   */
  check(signed: readonly SignedEntry[], peer: string): MaybePromise<void> {
    for (const [i, one] of signed.entries()) {
      if (this.#budget.spentMs > TURN_MS && !this.#isVerified(digestOf(one))) {
        return this.#checkLater(signed.slice(i), peer)
      }

      assertGood(this.verify(one.owner.publicKey, one.message, one.signature))
    }
  }

  /** Verifies several signatures at once. Starts no further ones after an invalid one. */
  async #checkLater(signed: readonly SignedEntry[], peer: string): Promise<void> {
    let next = 0
    let isForged = false
    const worker = async (): Promise<void> => {
      while (!isForged && next < signed.length) {
        const one = signed[next++] as SignedEntry
        isForged = !(await this.#verifyLater(one, peer)) || isForged
      }
    }
    await Promise.all(Array.from({ length: THREADS_FOR_SIGNATURES }, worker))
    assertGood(!isForged)
  }

  async #verifyLater(one: SignedEntry, peer: string): Promise<boolean> {
    const digest = digestOf(one)

    if (this.#isVerified(digest)) {
      return true
    }

    const { owner, message, signature } = one
    const isGood = await this.#queue.run(peer, () =>
      this.#init.verifyLater(owner.publicKey, message, signature)
    )

    if (isGood) {
      this.#verified.set(digest, true)
    }

    return isGood
  }

  #isVerified(digest: string): boolean {
    return this.#verified.touch(digest) === true
  }
}

function assertGood(isGood: boolean): void {
  if (!isGood) {
    throw FORGED
  }
}

function digestOf({ owner, message, signature }: SignedEntry): string {
  return sha256Text(concat([owner.publicKey, signature, message]))
}

async function verifyInTask(...signed: Parameters<VerifySignature>): Promise<boolean> {
  await nextTask()
  return fastVerify(...signed)
}
