import { Tally } from '../collections/tally.ts'
import { Alarm } from '../timing/alarm.ts'

/** A stream that buffers a peer's messages, and responses that the peer does not read. */
export interface Buffering {
  readonly bufferedBytes: number

  /** Time since which a message is unfinished or responses are unread; undefined if neither is the case. */
  readonly stuckSinceMs: number | undefined
  close(error: Error): void
}

export interface BufferLimitsInit {
  readonly maxBufferedBytesPerPeer: number
  readonly maxBufferedBytes: number
}

/** Milliseconds between two checks of the buffers, while any holds data. */
const CHECK_INTERVAL_MS = 250

/**
 * Part of one peer's bytes that may arrive between two checks, and that is left free by a check that ends streams. So a
 * few streams end at a time.
 */
const STEP = 1 / 8

/** Milliseconds after which an unfinished message or unread responses end the stream. */
export const MAX_STUCK_MS = 60_000

/**
 * Sums up the buffered bytes of all streams, and ends streams of peers that make this node buffer too much or for
 * too long: those with most, and as few as suffice.
 */
export class BufferLimits {
  #limits: BufferLimitsInit
  readonly #streams = new Map<Buffering, string>()
  readonly #alarm = new Alarm(() => this.check())
  #isDue = false

  /** Bytes that have arrived since the last check. */
  #arrivedBytes = 0

  constructor(limits: BufferLimitsInit) {
    this.#limits = limits
  }

  /** Replaces the limits, for the streams that are open, too. */
  setLimits(limits: BufferLimitsInit): void {
    this.#limits = limits
  }

  add(stream: Buffering, peer: string): void {
    this.#streams.set(stream, peer)
  }

  delete(stream: Buffering): void {
    this.#streams.delete(stream)
  }

  /** Schedules a check, because a stream buffers data. */
  scheduleCheck(): void {
    this.#isDue = true
    this.#alarm.within(CHECK_INTERVAL_MS)
  }

  /** Counts bytes of any peer. Checks at once when a peer may have gone far beyond its limit since the last check. */
  countArrived(bytes: number): void {
    this.#arrivedBytes += bytes

    if (this.#isDue && this.#arrivedBytes > STEP * this.#limits.maxBufferedBytesPerPeer) {
      this.check()
    }
  }

  /** Ends the streams beyond the limits. Schedules the next check if any stream buffers data. */
  check(nowMs: number = performance.now()): void {
    this.#isDue = false
    this.#arrivedBytes = 0

    for (const [stream] of this.#streams) {
      if (nowMs - (stream.stuckSinceMs ?? nowMs) > MAX_STUCK_MS) {
        stream.close(new Error(`the stream made no progress for ${MAX_STUCK_MS} ms`))
      }
    }

    const { maxBufferedBytes, maxBufferedBytesPerPeer } = this.#limits
    const peers = this.#bytesOfPeers()
    let sum = 0

    // Ascending, so the peer with most is the first to exceed the total.
    for (const [peer, bytes] of [...peers].sort(([, a], [, b]) => a - b)) {
      const allowed = Math.min(maxBufferedBytesPerPeer, maxBufferedBytes - sum)
      sum += bytes

      if (bytes > allowed) {
        this.#end(peer, bytes, (1 - STEP) * allowed)
      }
    }

    if (sum > 0) {
      this.scheduleCheck()
    }
  }

  stop(): void {
    this.#alarm.stop()
  }

  #bytesOfPeers(): Tally<string> {
    const peers = new Tally<string>()

    for (const [{ bufferedBytes }, peer] of this.#streams) {
      peers.add(peer, bufferedBytes)
    }

    return peers
  }

  /** Ends a peer's streams with most bytes until as many are left as allowed. */
  #end(peer: string, bytes: number, allowed: number): void {
    const error = new Error(`${bytes} bytes wait on the peer's streams: too many`)
    const streams = [...this.#streams]
      .filter(([, other]) => other === peer)
      .map(([stream]) => ({ stream, size: stream.bufferedBytes }))
      .sort((a, b) => b.size - a.size)
    let left = bytes

    for (const { stream, size } of streams) {
      if (left <= allowed) {
        return
      }

      left -= size
      stream.close(error)
    }
  }
}
