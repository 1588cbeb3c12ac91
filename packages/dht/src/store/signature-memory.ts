export interface SignatureMemoryInit {
  readonly maxSignatures: number
}

/**
 * Which signatures have turned out to be good, by a digest of all that was verified: most of what
 * comes in has been seen before, on another way. Those that have not been needed for the longest
 * time are forgotten.
 */
export class SignatureMemory {
  readonly #maxSignatures: number
  #recent = new Set<string>()
  #older: ReadonlySet<string> = new Set()

  constructor({ maxSignatures }: SignatureMemoryInit) {
    this.#maxSignatures = maxSignatures
  }

  /** How many are remembered. */
  get size(): number {
    return this.#recent.size + this.#older.size
  }

  has(digest: string): boolean {
    if (this.#recent.has(digest)) {
      return true
    }

    const isKnown = this.#older.has(digest)

    if (isKnown) {
      this.add(digest)
    }

    return isKnown
  }

  add(digest: string): void {
    if (this.#recent.size >= this.#maxSignatures / 2) {
      this.#older = this.#recent
      this.#recent = new Set()
    }

    this.#recent.add(digest)
  }
}
