import { MAX_PART_BYTES } from './limits.ts'

/** Bytes that may be in flight before the bandwidth was measured, as in TCP (RFC 6928), or what a slow line takes. */
const FIRST_WINDOW_BYTES: number = 16 * 1024
const FIRST_BYTES_PER_MS = 187
const MIN_WINDOW_BYTES: number = 2 * 1024
const MAX_WINDOW_BYTES: number = 8 * 1024 * 1024

/** Parts that a window is divided into. Small messages go between them. */
const PARTS_PER_WINDOW = 8
const MIN_PART_BYTES = 1024

/** Delays of bytes that may be in flight until the line is full for the first time: three times as many with each. */
const STARTING_DELAYS = 3

/** Delays after which a part that arrives has waited for others: the line is full. */
const FULL_DELAYS = 1.5

/** Milliseconds that bytes may always wait on their way: less than anybody notices. */
const SLACK_MS = 20

/** The delay of peers that are so near that processors delay more than lines, and what bytes may wait there. */
const NEAR_MS = 4
const NEAR_SLACK_MS = 100

/** Milliseconds of the highest rate that may always be in flight: acks may come late for other reasons. */
const FLOOR_MS = 10

/** Milliseconds in which the highest rate is forgotten. */
const PEAK_MEMORY_MS = 60_000

/** Milliseconds after which the delay of the bare way is measured anew. */
const DELAY_MEMORY_MS = 30_000

/** The weights of rates that are higher and lower than the estimate. */
const RISE = 1 / 2
const FALL = 1 / 32

interface SentPart {
  readonly bytes: number
  readonly sentMs: number

  /** Bytes that had been received when it was sent, and when the last of them were. */
  readonly received: number
  readonly receivedMs: number

  /** Whether more would have been sent, had the window been larger. */
  readonly isLimited: boolean
}

/**
 * Says how many bytes may be in flight to one peer: the bandwidth times twice the delay, both as
 * measured (after BBR, draft-ietf-ccwg-bbr). More would only wait in the buffers of the way, and delay
 * small messages. Moments are in ms of the process's clock.
 */
export class CongestionWindow {
  /** One part, until that has measured the delay of the bare way. */
  #bytes = MIN_PART_BYTES
  #inFlight = 0
  #parts: SentPart[] = []
  #received = 0
  #receivedMs = 0

  /** Bytes per millisecond. */
  #rate = 0

  /** The highest rate of late, and when it was corrected. */
  #peak = 0
  #peakMs = 0
  #isStarting = true

  /** The least delay of late and before, of which the lesser counts. */
  #delayMs = Number.POSITIVE_INFINITY
  #earlierDelayMs = Number.POSITIVE_INFINITY
  #delaySinceMs = Number.NEGATIVE_INFINITY

  /** Until when little is sent, so that the delay of the bare way can be measured. */
  #probesUntilMs = Number.NEGATIVE_INFINITY

  /** Bytes that may be in flight. */
  get bytes(): number {
    return this.#bytes
  }

  /** Bytes that were sent and are not known to be received. */
  get inFlight(): number {
    return this.#inFlight
  }

  /** Whether another part may be sent. */
  get hasRoom(): boolean {
    return this.#inFlight === 0 || this.#inFlight + this.#partBytes <= this.#bytes
  }

  /** Bytes of the largest message that others need not be able to pass. */
  get wholeBytes(): number {
    return this.#isMeasured ? this.#partBytes : FIRST_WINDOW_BYTES
  }

  /** Bytes of the next part of a message of which so many are left. */
  partOf(bytes: number): number {
    return bytes <= this.wholeBytes ? bytes : this.#partBytes
  }

  get #isMeasured(): boolean {
    return this.#delayMs !== Number.POSITIVE_INFINITY
  }

  get #partBytes(): number {
    const bytes = Math.floor(this.#bytes / PARTS_PER_WINDOW)
    return Math.min(Math.max(bytes, MIN_PART_BYTES), MAX_PART_BYTES)
  }

  /** Takes note of a part that was sent; `isLast`: nothing more is to be sent just now. */
  send(bytes: number, isLast: boolean, nowMs: number): void {
    if (this.#inFlight === 0) {
      this.#receivedMs = nowMs
    }

    this.#inFlight += bytes
    this.#parts.push({
      ...{ bytes, sentMs: nowMs, received: this.#received, receivedMs: this.#receivedMs },
      isLimited: !isLast
    })
  }

  /** Takes note that the first so many bytes in flight were received. Returns false if there are not so many. */
  receive(bytes: number, nowMs: number): boolean {
    if (bytes > this.#inFlight) {
      return false
    }

    this.#inFlight -= bytes
    this.#received += bytes
    this.#receivedMs = nowMs
    const part = this.#lastOf(bytes)

    if (part !== undefined) {
      this.#measure(part, nowMs)
    }

    return true
  }

  /** Takes out the parts that make up so many bytes. */
  #lastOf(bytes: number): SentPart | undefined {
    let last: SentPart | undefined
    let left = bytes
    let count = 0

    for (const part of this.#parts) {
      if (left < part.bytes) {
        break
      }

      left -= part.bytes
      last = part
      count++
    }

    this.#parts.splice(0, count)
    const [next] = this.#parts

    if (next !== undefined && left > 0) {
      this.#parts[0] = { ...next, bytes: next.bytes - left }
    }

    return last
  }

  #measure({ isLimited, received, receivedMs, sentMs }: SentPart, nowMs: number): void {
    const isFirst = !this.#isMeasured
    this.#recordDelay(Math.max(nowMs - sentMs, 1), nowMs)

    if (isFirst) {
      this.#bytes = Math.max(FIRST_WINDOW_BYTES, FIRST_BYTES_PER_MS * this.#delayMs)
      return
    }

    const rate = (this.#received - received) / Math.max(nowMs - receivedMs, 1)

    if (isLimited && nowMs - sentMs > FULL_DELAYS * this.#leastDelayMs + SLACK_MS) {
      this.#isStarting = false
    }

    if (rate > this.#rate) {
      this.#rate += (this.#isStarting ? 1 : RISE) * (rate - this.#rate)
    } else if (isLimited) {
      this.#rate += FALL * (rate - this.#rate)
    }

    this.#recordPeak(nowMs)
    const bytes = Math.max(this.#rate * this.#delaysMs(nowMs), this.#peak * FLOOR_MS)
    // Who sends little learns little of the bandwidth.
    const leastBytes = isLimited ? MIN_WINDOW_BYTES : this.#bytes
    this.#bytes = Math.min(Math.max(bytes, leastBytes), MAX_WINDOW_BYTES)
  }

  #recordPeak(nowMs: number): void {
    const forgotten = Math.min((nowMs - this.#peakMs) / PEAK_MEMORY_MS, 1)
    this.#peak = Math.max(this.#rate, this.#peak * (1 - forgotten))
    this.#peakMs = nowMs
  }

  get #leastDelayMs(): number {
    return Math.min(this.#delayMs, this.#earlierDelayMs)
  }

  /** Milliseconds of the rate that may be in flight. */
  #delaysMs(nowMs: number): number {
    const delayMs = this.#leastDelayMs

    if (nowMs < this.#probesUntilMs) {
      return delayMs / 2
    }

    const slackMs = delayMs < NEAR_MS ? NEAR_SLACK_MS : SLACK_MS
    const isStarting = this.#isStarting && delayMs >= NEAR_MS
    return isStarting ? STARTING_DELAYS * delayMs : delayMs + Math.max(delayMs, slackMs)
  }

  #recordDelay(delayMs: number, nowMs: number): void {
    if (nowMs - this.#delaySinceMs > DELAY_MEMORY_MS) {
      const isFirst = this.#delaySinceMs === Number.NEGATIVE_INFINITY
      this.#earlierDelayMs = this.#delayMs
      this.#delayMs = delayMs
      this.#delaySinceMs = nowMs
      this.#probesUntilMs = isFirst ? nowMs : nowMs + 2 * delayMs
    } else {
      this.#delayMs = Math.min(this.#delayMs, delayMs)
    }
  }
}
