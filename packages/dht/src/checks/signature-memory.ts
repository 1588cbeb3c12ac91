import type { VerifySignature } from '@waggle/record'
import { concat } from 'uint8arrays/concat'

export interface SignatureMemoryInit {
  readonly verify: VerifySignature
  readonly digestOf: (bytes: Uint8Array) => string
  readonly maxSignatures: number
}

/**
 * Remembers which signatures have turned out to be good, by a digest of all that was verified: most
 * of what comes in has been seen before, on another way. Those that have not been needed for the
 * longest time are forgotten; bad ones are never remembered.
 */
export class SignatureMemory {
  readonly #init: SignatureMemoryInit
  #recent = new Set<string>()
  #older: ReadonlySet<string> = new Set()

  constructor(init: SignatureMemoryInit) {
    this.#init = init
  }

  /** How many are remembered. */
  get size(): number {
    return this.#recent.size + this.#older.size
  }

  /** Whether the signature is good. */
  readonly verify: VerifySignature = (publicKey, message, signature) => {
    const { digestOf, verify } = this.#init
    const digest = digestOf(concat([publicKey, signature, message]))

    if (this.#recent.has(digest)) {
      return true
    }

    const isGood = this.#older.has(digest) || verify(publicKey, message, signature)

    if (isGood) {
      this.#remember(digest)
    }

    return isGood
  }

  #remember(digest: string): void {
    if (this.#recent.size >= this.#init.maxSignatures / 2) {
      this.#older = this.#recent
      this.#recent = new Set()
    }

    this.#recent.add(digest)
  }
}
