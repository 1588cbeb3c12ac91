import { DeliveryRate } from './delivery-rate.ts'
import { MAX_PART_BYTES } from './limits.ts'

/** Bytes in flight, and their rate, before the bandwidth is measured, as in TCP (RFC 6928), and for a slow line. */
const FIRST_WINDOW_BYTES: number = 16 * 1024
const FIRST_BYTES_PER_MS = 187
const MIN_WINDOW_BYTES: number = 2 * 1024
const MAX_WINDOW_BYTES: number = 8 * 1024 * 1024

/** Parts of a window. Small messages are sent between them. */
const PARTS_PER_WINDOW = 8
const MIN_PART_BYTES = 512

/**
 * Milliseconds that a part may always take, less than anybody notices: between busy processors a window is small, and
 * each part costs both as much as a message.
 */
const PART_MS = 12

/** Window until the path is full for the first time, in delays: three times as many with each. */
const STARTING_DELAYS = 3

/** Delays after which an arriving part must have queued, unless noise delayed it. */
const FULL_DELAYS = 1.5

/** Growth of the rate in a round trip, below which a path with late parts is full. */
const MIN_GROWTH = 1.25

/** Delays that may be in flight besides the one that fills the path, so that a window that is too small grows. */
const EXTRA_DELAYS = 1.15

/** Until then: delays of the rate at which a round's parts arrive, ms or delays by which they may come too close, and growth. */
const ARRIVAL_DELAYS = 1.5
const ARRIVAL_NOISE_MS = 20
const ARRIVAL_NOISE_DELAYS = 0.15
const MAX_GROWTH = 5

/** Milliseconds that bytes may always wait on their way, less than anybody notices; at most, where delays vary as much. */
const SLACK_MS = 12
const MAX_SLACK_MS = 100

/** The delay of peers that are so near that processors delay more than lines. */
const NEAR_MS = 4

/** Delay from which it is not measured again once the window has opened, which would cost a short transfer too much. */
const MAX_EARLY_PROBE_MS = 250

/** Share of the delay before, below which the delay of a probe was not that of the bare line: another one follows. */
const MIN_PROBED_SHARE = 0.7

/** Milliseconds between two measurements of how much delays vary, where the rate has fallen to less than half. */
const JITTER_MEMORY_MS = 2000

/** Milliseconds of the highest rate that may always be in flight: acks may be late for other reasons. */
const FLOOR_MS = 10

/** Milliseconds in which the highest rate decays. */
const PEAK_MEMORY_MS = 60_000

/** Milliseconds after which the path's minimum delay is measured again. */
const DELAY_MEMORY_MS = 30_000

const NO_JITTER = { leastMs: Number.POSITIVE_INFINITY, mostMs: 0, secondMs: 0 }

interface SentPart {
  readonly bytes: number
  readonly sentMs: number

  /** Bytes that had been received when it was sent, and the time of the last of them. */
  readonly received: number
  readonly receivedMs: number

  /** When that last one was sent. */
  readonly earlierSentMs: number

  /** Whether a larger window would have allowed more. */
  readonly isLimited: boolean

  /** Whether nothing else was in flight. */
  readonly isAlone: boolean
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

  /** When the last acknowledged part was sent. */
  #ackedSentMs = 0
  readonly #rates = new DeliveryRate()

  /** The highest rate of the last minute, and the time of its last correction. */
  #peak = 0
  #peakMs = 0
  #isStarting = true

  /** The present round: its first ack, the bytes received then and when it ends, its window, and the rates at its beginning and that of the round before. */
  #round = { sinceMs: 0, received: 0, until: 0, windowBytes: 0, rate: 0, earlierRate: 0 }

  /** The minimum delays of this period and the one before, of which the lesser counts. */
  #delayMs = Number.POSITIVE_INFINITY
  #earlierDelayMs = Number.POSITIVE_INFINITY
  #delaySinceMs = Number.NEGATIVE_INFINITY

  /** From when to when only what was sent last is on the way, so that the delay of the bare way can be measured. */
  #probesSinceMs = Number.NEGATIVE_INFINITY
  #probesUntilMs = Number.NEGATIVE_INFINITY

  /** The least delay when they began. */
  #probedDelayMs = 0

  /**
   * The least, the longest and the second longest delay measured then, and what bytes may wait on their way for the
   * difference.
   */
  #jitter = NO_JITTER
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
    // A probe takes many parts.
    const most = this.#isProbing(this.#receivedMs)
      ? 0
      : Math.min(this.#rate * PART_MS, MAX_PART_BYTES)
    const room = Math.floor(Math.min(most, this.#bytes - this.#inFlight))
    const partBytes = Math.max(room, this.#partBytes)
    return bytes <= Math.max(partBytes, this.wholeBytes) ? bytes : partBytes
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
    const isAlone = this.#inFlight === 0

    if (isAlone) {
      this.#receivedMs = nowMs
      this.#ackedSentMs = nowMs
    }

    this.#inFlight += bytes
    this.#parts.push({
      ...{ bytes, sentMs: nowMs, received: this.#received, receivedMs: this.#receivedMs },
      earlierSentMs: this.#ackedSentMs,
      ...{ isLimited: !isLast, isAlone }
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
      this.#ackedSentMs = part.sentMs
      this.#measure(part, bytes, nowMs)
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

  #measure(part: SentPart, ackedBytes: number, nowMs: number): void {
    const { isAlone, isLimited, sentMs } = part
    const isFirst = !this.#isMeasured
    const delayMs = Math.max(nowMs - sentMs, 1)
    this.#recordDelay(delayMs, isAlone, nowMs)
    this.#recordJitter(sentMs, nowMs)
    this.#recordRound(nowMs)

    if (isFirst) {
      this.#bytes = Math.max(FIRST_WINDOW_BYTES, FIRST_BYTES_PER_MS * this.#delayMs)
      return
    }

    this.#endStartIfFull(delayMs, isLimited, nowMs)
    this.#recordRate(part, nowMs)
    const measured = Math.max(this.#rate * this.#delaysMs(nowMs), this.#peak * FLOOR_MS)
    const bytes = this.#isStarting ? Math.max(measured, this.#arrivingBytes(nowMs)) : measured
    // A window that was small for a while opens as parts arrive, or all that it allows would queue.
    const most = this.#isStarting ? MAX_WINDOW_BYTES : this.#bytes + ackedBytes
    // A sender with little to send learns little about the bandwidth.
    const least = isLimited && !this.#isStarting ? MIN_WINDOW_BYTES : this.#bytes
    this.#bytes = Math.min(Math.max(Math.min(bytes, most), least), MAX_WINDOW_BYTES)
  }

  /**
   * Records the rate at which bytes were received while a part was on its way. They were not sent faster than that,
   * if acks came together.
   */
  #recordRate(part: SentPart, nowMs: number): void {
    const { earlierSentMs, isLimited, received, receivedMs, sentMs } = part
    const elapsedMs = Math.max(nowMs - receivedMs, sentMs - earlierSentMs, 1)
    const rate = (this.#received - received) / elapsedMs
    this.#rates.record(rate, {
      isLimited: isLimited && sentMs >= this.#probesUntilMs,
      ...{ received: this.#received, inFlight: this.#inFlight }
    })
    this.#recordPeak(nowMs)
  }

  /** Bytes per millisecond. */
  get #rate(): number {
    return this.#rates.highest
  }

  /** A round ends when all that was in flight at its first ack has been acknowledged. */
  #recordRound(nowMs: number): void {
    if (this.#isStarting && this.#received > this.#round.until) {
      const received = this.#received
      const until = received + this.#inFlight
      const { rate: earlierRate } = this.#round
      const rate = this.#rate
      this.#round = { sinceMs: nowMs, received, until, windowBytes: this.#bytes, rate, earlierRate }
    }
  }

  /** Window by the distances at which a round's parts arrive: they tell the bandwidth before a window fills it. */
  #arrivingBytes(nowMs: number): number {
    const { received, sinceMs, windowBytes } = this.#round
    const leastMs = this.#leastDelayMs
    const noiseMs = Math.max(ARRIVAL_NOISE_MS, ARRIVAL_NOISE_DELAYS * leastMs)
    const rate = (this.#received - received) / (nowMs - sinceMs + noiseMs)
    return Math.min(ARRIVAL_DELAYS * leastMs * rate, MAX_GROWTH * windowBytes)
  }

  /**
   * Ends the start when parts are late although the rate has not risen for a round. The first delays may have been
   * measured behind others' bytes, or while both ends had much to do.
   */
  #endStartIfFull(delayMs: number, isLimited: boolean, nowMs: number): void {
    const isLate = isLimited && delayMs > FULL_DELAYS * this.#leastDelayMs + SLACK_MS

    if (!this.#isStarting || !isLate || this.#rate >= MIN_GROWTH * this.#round.earlierRate) {
      return
    }

    if (this.#leastDelayMs < MAX_EARLY_PROBE_MS) {
      this.#probe(delayMs, nowMs)
    }

    this.#isStarting = false
    this.#rates.restart()
  }

  #recordPeak(nowMs: number): void {
    const forgotten = Math.min((nowMs - this.#peakMs) / PEAK_MEMORY_MS, 1)
    this.#peak = Math.max(this.#rates.settled, this.#peak * (1 - forgotten))
    this.#peakMs = nowMs
  }

  get #leastDelayMs(): number {
    return Math.min(this.#delayMs, this.#earlierDelayMs)
  }

  /** Whether the delay of the bare line is measured. Processors delay more than the line of a near peer. */
  #isProbing(nowMs: number): boolean {
    return nowMs < this.#probesUntilMs && this.#leastDelayMs >= NEAR_MS
  }

  /** Milliseconds of the rate that may be in flight. */
  #delaysMs(nowMs: number): number {
    const delayMs = this.#leastDelayMs

    if (this.#isProbing(nowMs)) {
      return delayMs / 2
    }

    const slackMs = delayMs < NEAR_MS ? MAX_SLACK_MS : this.#slackMs
    const isStarting = this.#isStarting && delayMs >= NEAR_MS
    return isStarting
      ? STARTING_DELAYS * delayMs
      : delayMs + Math.max(EXTRA_DELAYS * delayMs, slackMs)
  }

  /** A part that was alone has measured the bare line, so a transfer is not slowed down to measure it again. */
  #recordDelay(delayMs: number, isAlone: boolean, nowMs: number): void {
    if (isAlone && delayMs < FULL_DELAYS * this.#leastDelayMs) {
      this.#delaySinceMs = nowMs
    }

    if (nowMs - this.#delaySinceMs > DELAY_MEMORY_MS) {
      this.#earlierDelayMs = this.#delayMs
      this.#delayMs = delayMs
      this.#delaySinceMs = nowMs

      if (!isAlone) {
        this.#probe(delayMs, nowMs)
      }
    } else {
      this.#delayMs = Math.min(this.#delayMs, delayMs)
    }
  }

  /** Sends little until what is in flight has arrived, for a delay, and for two more where it matters how much they vary. */
  #probe(delayMs: number, nowMs: number): void {
    this.#probesSinceMs = nowMs + delayMs
    this.#probesUntilMs = nowMs + delayMs + this.#leastDelayMs + 2 * Math.min(delayMs, MAX_SLACK_MS)
    this.#jitter = NO_JITTER
    this.#probedDelayMs = this.#leastDelayMs
  }

  /**
   * Learns how much delays vary where nothing waits, as by radio or among busy processors. A window that
   * allows for less lowers the rate, which closes the window more and more. A single long delay, as of a processor that
   * was busy for a moment, does not count. Others' bytes that wait on the line
   * delay all parts, so the least delay of the parts measured counts, not that of the bare line.
   */
  #recordJitter(sentMs: number, nowMs: number): void {
    if (sentMs >= this.#probesSinceMs && sentMs < this.#probesUntilMs) {
      const delayMs = nowMs - sentMs
      const leastMs = Math.min(this.#jitter.leastMs, delayMs)
      const mostMs = Math.max(this.#jitter.mostMs, delayMs)
      const secondMs = Math.max(this.#jitter.secondMs, Math.min(this.#jitter.mostMs, delayMs))
      this.#jitter = { leastMs, mostMs, secondMs }
      this.#slackMs = Math.min(Math.max(secondMs - leastMs, SLACK_MS), MAX_SLACK_MS)
    } else if (nowMs >= this.#probesUntilMs && this.#isProbeDue(nowMs)) {
      this.#probe(nowMs - sentMs, nowMs)
    }
  }

  /** Whether the last probe found a line that was still full, or the window may be too small for the jitter. */
  #isProbeDue(nowMs: number): boolean {
    const isFull = this.#leastDelayMs < MIN_PROBED_SHARE * this.#probedDelayMs
    const isSlow = this.#rate < this.#peak / 2 && this.#leastDelayMs < MAX_SLACK_MS
    return isFull || (isSlow && nowMs - this.#probesUntilMs > JITTER_MEMORY_MS)
  }
}
