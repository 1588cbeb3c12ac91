/** Bytes in a millisecond that count as progress: 8 kbit/s, less than any line has. */
const MIN_BYTES_PER_MS = 1

/**
 * Tells since when a peer has made no progress (N12). A complete message is progress; the bytes of an
 * unfinished one, and acknowledged ones, count for the time that the slowest line would take, so that
 * a peer which dribbles makes none. In ms of the process's clock.
 */
export class ProgressClock {
  #sinceMs: number

  constructor(nowMs: number) {
    this.#sinceMs = nowMs
  }

  get sinceMs(): number {
    return this.#sinceMs
  }

  /** Takes note that some bytes have come. */
  move(bytes: number, nowMs: number): void {
    this.#sinceMs = Math.min(nowMs, this.#sinceMs + bytes / MIN_BYTES_PER_MS)
  }

  /** Takes note that there is nothing to wait for, or something is complete. */
  reset(nowMs: number): void {
    this.#sinceMs = nowMs
  }
}
