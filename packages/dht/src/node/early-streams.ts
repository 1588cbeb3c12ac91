import { FrameHead } from './yamux-frames.ts'

/** Streams opened before the other side has sent any data: libp2p closes a connection that has more than 10. */
const MAX_EARLY_STREAMS = 8

/** Milliseconds to wait for data. A side that reads its streams answers within a round trip. */
const MAX_WAIT_MS = 1000

interface Frame {
  readonly byteLength: number
  subarray(from?: number, to?: number): Uint8Array
}

/**
 * Delays streams that an application opens right after dialling. The other side may still be setting up the
 * connection, and libp2p resets it when many streams arrive before that is done.
 */
export class EarlyStreams<F extends Frame> {
  readonly #send: (frames: readonly F[]) => void
  readonly #streams = new Set<number>()
  #held: F[] = []
  #timer: ReturnType<typeof setTimeout> | undefined
  #isOver = false

  constructor(send: (frames: readonly F[]) => void) {
    this.#send = send
  }

  /** Returns whether it holds the frame. */
  holds(frame: F): boolean {
    if (this.#isOver) {
      return false
    }

    const { stream, opens } = FrameHead.of(frame)

    if (opens) {
      this.#streams.add(stream)
    }

    const isEarly = [...this.#streams].indexOf(stream) >= MAX_EARLY_STREAMS

    if (isEarly) {
      this.#held.push(frame)
      this.#timer ??= setTimeout(() => this.release(), MAX_WAIT_MS)
    }

    return isEarly
  }

  /** Sends all held frames, and holds none from now on. */
  release(): void {
    this.#isOver = true
    clearTimeout(this.#timer)
    const held = this.#held
    this.#held = []
    this.#streams.clear()

    if (held.length > 0) {
      this.#send(held)
    }
  }
}
