import { Alarm } from '../timing/alarm.ts'

/** What a stream holds of a peer's messages, and of the answers that it does not read. */
export interface Buffering {
  readonly bufferedBytes: number

  /** Since when a message is unfinished or answers are not read; undefined if neither is so. */
  readonly stuckSinceMs: number | undefined
  close(error: Error): void
}

export interface BacklogLimits {
  readonly maxBufferedBytesPerPeer: number
  readonly maxBufferedBytes: number
}

/** How often what is buffered is added up, while anything is. */
const LOOK_MS = 250

/** A message that takes longer to arrive, or answers that nobody reads for so long, end the stream. */
export const MAX_STUCK_MS = 60_000

/** Adds up what all streams hold, and ends those of whoever makes this node hold too much, or for too long. */
export class BufferLimits {
  readonly #limits: BacklogLimits
  readonly #streams = new Map<Buffering, string>()
  readonly #alarm = new Alarm(() => this.look())

  constructor(limits: BacklogLimits) {
    this.#limits = limits
  }

  add(stream: Buffering, peer: string): void {
    this.#streams.set(stream, peer)
  }

  delete(stream: Buffering): void {
    this.#streams.delete(stream)
  }

  /** A peer that has reconnected may have left streams behind, which must not count against it: the oldest go. */
  endOldest(peer: string, most: number): void {
    const streams = [...this.#streams].flatMap(([stream, other]) => (other === peer ? stream : []))

    for (const stream of streams.slice(0, -most)) {
      stream.close(new Error(`the peer has opened more than ${most} streams`))
    }
  }

  /** Something is buffered: it is looked at soon. */
  grew(): void {
    this.#alarm.within(LOOK_MS)
  }

  /** Ends what has to end, and looks again soon if anything is left. */
  look(nowMs: number = performance.now()): void {
    for (const [stream] of this.#streams) {
      if (nowMs - (stream.stuckSinceMs ?? nowMs) > MAX_STUCK_MS) {
        stream.close(new Error(`nothing has moved on the stream for ${MAX_STUCK_MS} ms`))
      }
    }

    const { maxBufferedBytes, maxBufferedBytesPerPeer } = this.#limits
    const peers = this.#bytesOfPeers()
    let sum = 0

    // Whoever has most is last, and the first that does not fit.
    for (const [peer, bytes] of [...peers].sort(([, a], [, b]) => a - b)) {
      sum += bytes

      if (bytes > maxBufferedBytesPerPeer || sum > maxBufferedBytes) {
        this.#end(peer, bytes)
      }
    }

    if (sum > 0) {
      this.grew()
    }
  }

  stop(): void {
    this.#alarm.stop()
  }

  #bytesOfPeers(): Map<string, number> {
    const peers = new Map<string, number>()

    for (const [{ bufferedBytes }, peer] of this.#streams) {
      peers.set(peer, (peers.get(peer) ?? 0) + bufferedBytes)
    }

    return peers
  }

  #end(peer: string, bytes: number): void {
    for (const [stream, other] of this.#streams) {
      if (other === peer) {
        stream.close(new Error(`${bytes} bytes wait on the peer's streams: too many`))
      }
    }
  }
}
