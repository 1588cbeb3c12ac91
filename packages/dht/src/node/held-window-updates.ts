import type { MessageStream } from '@libp2p/interface'

/*
 * A yamux frame's head (hashicorp/yamux spec, "Framing"): version, type, flags (16 bits), stream
 * (32 bits), length (32 bits), all big end first. A window update has nothing else, and its length
 * is what the other side may send in addition.
 */
const HEAD_BYTES = 12
const WINDOW_UPDATE = 1
const STREAM_AT = 4
const LENGTH_AT = 8

/** Half of yamux's initial window: what go-yamux waits for, too. The other half keeps the sender going. */
const RELEASE_AT_BYTES: number = 128 * 1024

/** Streams come and go without a word to us; beyond this many the oldest update is released. */
const MAX_HELD_STREAMS = 256

type Frame = Parameters<MessageStream['send']>[0]

/** Adds up a muxer's window updates, stream by stream, until they allow enough to be worth a frame. */
export class HeldWindowUpdates {
  readonly #heldBytes = new Map<number, number>()

  /** What is to be sent when the muxer sends a frame: mostly that frame, or nothing. */
  pass(frame: Frame): Frame[] {
    if (!isWindowUpdate(frame)) {
      return [frame]
    }

    const head = new DataView(frame.buffer, frame.byteOffset, HEAD_BYTES)
    const stream = head.getUint32(STREAM_AT)
    const bytes = (this.#heldBytes.get(stream) ?? 0) + head.getUint32(LENGTH_AT)
    this.#heldBytes.delete(stream)

    if (bytes >= RELEASE_AT_BYTES) {
      return [windowUpdate(stream, bytes)]
    }

    this.#heldBytes.set(stream, bytes)
    return this.#releaseOldest()
  }

  #releaseOldest(): Frame[] {
    const [oldest] = this.#heldBytes

    if (oldest === undefined || this.#heldBytes.size <= MAX_HELD_STREAMS) {
      return []
    }

    this.#heldBytes.delete(oldest[0])
    return [windowUpdate(...oldest)]
  }
}

/** Only one without flags: those that open, confirm or end a stream have to go out. */
function isWindowUpdate(frame: Frame): frame is Uint8Array {
  return (
    frame instanceof Uint8Array &&
    frame.length === HEAD_BYTES &&
    frame[1] === WINDOW_UPDATE &&
    frame[2] === 0 &&
    frame[3] === 0
  )
}

function windowUpdate(stream: number, bytes: number): Uint8Array {
  const frame = new Uint8Array(HEAD_BYTES)
  const head = new DataView(frame.buffer)
  frame[1] = WINDOW_UPDATE
  head.setUint32(STREAM_AT, stream)
  head.setUint32(LENGTH_AT, bytes)
  return frame
}
