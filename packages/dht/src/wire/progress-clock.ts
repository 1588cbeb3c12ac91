/** Bytes per millisecond that count as progress: 8 kbit/s, slower than any line. */
const MIN_BYTES_PER_MS = 1

/** Bytes per millisecond of a slow line: half a megabit per second. */
const SLOW_BYTES_PER_MS = 64

/**
 * Measures the time since a peer's last progress (N12). A complete message is progress. The bytes of an incomplete
 * one, and acknowledged ones, count for the time that the slowest line would take, so a peer that sends byte by
 * byte makes no progress. In ms of the process's clock.
 */
export class ProgressClock {
  #sinceMs: number

  constructor(nowMs: number) {
    this.#sinceMs = nowMs
  }

  get sinceMs(): number {
    return this.#sinceMs
  }

  /** Records received bytes. */
  move(bytes: number, nowMs: number): void {
    const sinceMs = Math.min(nowMs, this.#sinceMs + bytes / MIN_BYTES_PER_MS)
    this.#sinceMs = Math.max(this.#sinceMs, sinceMs)
  }

  /** Records sent bytes, which can't be acknowledged before they have arrived. */
  expect(bytes: number, nowMs: number): void {
    this.#sinceMs = nowMs + bytes / SLOW_BYTES_PER_MS
  }

  /** Records that a message is complete, or that none is expected. */
  reset(nowMs: number): void {
    this.#sinceMs = Math.max(this.#sinceMs, nowMs)
  }
}
