/** Answers in a row that name no unknown node, after which the table counts as complete. */
const CONFIRMATIONS = 16

/** Milliseconds after the last such answer for which it does. */
const VALID_MS = 30_000

/**
 * Judges by the answers to lookups whether the routing table lacks nodes. In a network that is larger than the
 * table, answers about other keys keep naming unknown ones.
 */
export class TableCheck {
  readonly #nowMs: () => number
  #confirmations = 0
  #confirmedMs = Number.NEGATIVE_INFINITY

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  /** Whether no answer has named an unknown node lately. */
  get isComplete(): boolean {
    return this.#confirmations >= CONFIRMATIONS && this.#nowMs() - this.#confirmedMs <= VALID_MS
  }

  /** Records an answer, and whether all nodes that it names are in the table. */
  record(areKnown: boolean): void {
    this.#confirmations = areKnown ? this.#confirmations + 1 : 0
    this.#confirmedMs = this.#nowMs()
  }
}
