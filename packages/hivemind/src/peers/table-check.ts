/** Consecutive responses without an unknown node after which the table counts as complete. */
const CONFIRMATIONS = 16

/** Milliseconds after the last such response during which the table counts as complete. */
const VALID_MS = 30_000

/**
 * Judges by the responses to lookups whether the routing table lacks nodes. In a network that is larger than the
 * table, responses about other keys keep listing unknown nodes.
 */
export class TableCheck {
  readonly #nowMs: () => number
  #confirmations = 0
  #confirmedMs = Number.NEGATIVE_INFINITY

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  /** Whether recent responses listed only known nodes. */
  get isComplete(): boolean {
    return this.#confirmations >= CONFIRMATIONS && this.#nowMs() - this.#confirmedMs <= VALID_MS
  }

  /** Records whether all nodes in a response are in the table. */
  record(areKnown: boolean): void {
    this.#confirmations = areKnown ? this.#confirmations + 1 : 0
    this.#confirmedMs = this.#nowMs()
  }
}
