import { MAX_PART_BYTES } from './limits.ts'

/** Bytes in flight, and their rate, before the bandwidth is measured, as in TCP (RFC 6928), and for a slow line. */
const FIRST_WINDOW_BYTES: number = 16 * 1024
const FIRST_BYTES_PER_MS = 187
const MIN_WINDOW_BYTES: number = 2 * 1024
const MAX_WINDOW_BYTES: number = 8 * 1024 * 1024

/** Parts of a window. Small messages are sent between them. */
const PARTS_PER_WINDOW = 8
const MIN_PART_BYTES = 1024

/** Window until the path is full for the first time, in delays: three times as many with each. */
const STARTING_DELAYS = 3

/** Delays after which an arriving part must have queued: the path is full. */
const FULL_DELAYS = 1.5

/** Milliseconds that bytes may always wait on their way, less than anybody notices; at most, where delays vary as much. */
const SLACK_MS = 20
const MAX_SLACK_MS = 100

/** The delay of peers that are so near that processors delay more than lines. */
const NEAR_MS = 4

/** Milliseconds between two measurements of how much delays vary, where the rate has fallen to less than half. */
const JITTER_MEMORY_MS = 2000

/** Milliseconds of the highest rate that may always be in flight: acks may be late for other reasons. */
const FLOOR_MS = 10

/** Milliseconds in which the highest rate decays. */
const PEAK_MEMORY_MS = 60_000

/** Milliseconds after which the path's minimum delay is measured again. */
const DELAY_MEMORY_MS = 30_000

/** The weights of rates that are higher and lower than the estimate. */
const RISE = 1 / 2
const FALL = 1 / 32

interface SentPart {
  readonly bytes: number
  readonly sentMs: number

  /** Bytes that had been received when it was sent, and the time of the last of them. */
  readonly received: number
  readonly receivedMs: number

  /** Whether a larger window would have allowed more. */
  readonly isLimited: boolean
}

/**
 * Computes the bytes that may be in flight to one peer: the bandwidth times twice the delay, both measured (after
 * BBR, draft-ietf-ccwg-bbr). More would only queue on the path, and delay small messages. Times are in ms of the
 * process's clock.
 */
export class CongestionWindow {
  /** Window size. It starts with one part, which measures the path's minimum delay. */
  #bytes = MIN_PART_BYTES
  #inFlight = 0
  #parts: SentPart[] = []
  #received = 0
  #receivedMs = 0

  /** Bytes per millisecond. */
  #rate = 0

  /** The highest recent rate, and the time of its last correction. */
  #peak = 0
  #peakMs = 0
  #isStarting = true

  /** The minimum delays of this period and the one before, of which the lesser counts. */
  #delayMs = Number.POSITIVE_INFINITY
  #earlierDelayMs = Number.POSITIVE_INFINITY
  #delaySinceMs = Number.NEGATIVE_INFINITY

  /** From when to when only what was sent last is on the way, so that the delay of the bare way can be measured. */
  #probesSinceMs = Number.NEGATIVE_INFINITY
  #probesUntilMs = Number.NEGATIVE_INFINITY

  /** How much more than the least delay was measured then, and what bytes may wait on their way for that. */
  #jitterMs = 0
  #slackMs = SLACK_MS

  /** Bytes that may be in flight. */
  get bytes(): number {
    return this.#bytes
  }

  /** Bytes that were sent and not acknowledged. */
  get inFlight(): number {
    return this.#inFlight
  }

  /** Whether another part may be sent. */
  get hasRoom(): boolean {
    return this.#inFlight === 0 || this.#inFlight + this.#partBytes <= this.#bytes
  }

  /** Bytes of the largest message that is sent whole, because others need not pass it. */
  get wholeBytes(): number {
    return this.#isMeasured ? this.#partBytes : FIRST_WINDOW_BYTES
  }

  /** Bytes of the next part of a message, given the bytes left of it. */
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

  /** Records a sent part. `isLast`: nothing else waits at the moment. */
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

  /** Records acknowledged bytes. Returns false if there were fewer in flight. */
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

  /** Removes the parts that these bytes consist of, and returns the last one. */
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
    this.#recordJitter(sentMs, nowMs)

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
    // A sender with little to send learns little about the bandwidth.
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

    const slackMs = delayMs < NEAR_MS ? MAX_SLACK_MS : this.#slackMs
    const isStarting = this.#isStarting && delayMs >= NEAR_MS
    return isStarting ? STARTING_DELAYS * delayMs : delayMs + Math.max(delayMs, slackMs)
  }

  #recordDelay(delayMs: number, nowMs: number): void {
    if (nowMs - this.#delaySinceMs > DELAY_MEMORY_MS) {
      const isFirst = this.#delaySinceMs === Number.NEGATIVE_INFINITY
      this.#earlierDelayMs = this.#delayMs
      this.#delayMs = delayMs
      this.#delaySinceMs = nowMs

      if (!isFirst) {
        this.#probe(delayMs, nowMs)
      }
    } else {
      this.#delayMs = Math.min(this.#delayMs, delayMs)
    }
  }

  /** Sends little for two delays, and for two more where it matters how much they vary. */
  #probe(delayMs: number, nowMs: number): void {
    this.#probesSinceMs = nowMs + delayMs
    this.#probesUntilMs = nowMs + 2 * (delayMs + Math.min(delayMs, MAX_SLACK_MS))
    this.#jitterMs = 0
  }

  /**
   * Learns how much delays vary where nothing waits, as by radio or among busy processors. A window that
   * allows for less lowers the rate, which closes the window more and more.
   */
  #recordJitter(sentMs: number, nowMs: number): void {
    if (sentMs >= this.#probesSinceMs && sentMs < this.#probesUntilMs) {
      this.#jitterMs = Math.max(this.#jitterMs, nowMs - sentMs - this.#leastDelayMs)
      this.#slackMs = Math.min(Math.max(this.#jitterMs, SLACK_MS), MAX_SLACK_MS)
    } else if (
      this.#rate < this.#peak / 2 &&
      this.#leastDelayMs < MAX_SLACK_MS &&
      nowMs - this.#probesUntilMs > JITTER_MEMORY_MS
    ) {
      this.#probe(nowMs - sentMs, nowMs)
    }
  }
}
