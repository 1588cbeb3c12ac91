import type { MessageStream } from '@libp2p/interface'
import { BoundedMap } from '../collections/bounded-map.ts'

/*
 * A yamux frame's head (hashicorp/yamux spec, "Framing"): version, type, flags (16 bits), stream
 * (32 bits), length (32 bits), all big end first. A window update is only a head, whose length
 * is the number of further bytes that the other side may send.
 */
const HEAD_BYTES = 12
const VERSION = 0
const WINDOW_UPDATE = 1
const STREAM_AT = 4
const LENGTH_AT = 8

/**
 * Bytes at which an update is sent: half of yamux's initial window, as in go-yamux. The other half keeps the sender
 * going.
 */
const RELEASE_AT_BYTES: number = 128 * 1024

/** Streams whose updates are held. Streams end without notice; beyond this many the oldest update is sent. */
const MAX_HELD_STREAMS = 256

type Frame = Parameters<MessageStream['send']>[0]

/** Sums up a muxer's window updates, stream by stream, until they justify a frame. */
export class HeldWindowUpdates {
  #evicted: Frame[] = []

  /** Bytes held, by stream. */
  readonly #held = new BoundedMap<number, number>({
    maxSize: MAX_HELD_STREAMS,
    onEvict: (stream, bytes) => this.#evicted.push(windowUpdate(stream, bytes))
  })

  /** Returns the frames to send in place of one frame: mostly that frame, or none. */
  pass(frame: Frame): Frame[] {
    if (!isWindowUpdate(frame)) {
      return [frame]
    }

    const head = new DataView(frame.buffer, frame.byteOffset, HEAD_BYTES)
    const stream = head.getUint32(STREAM_AT)
    const bytes = (this.#held.get(stream) ?? 0) + head.getUint32(LENGTH_AT)

    if (bytes >= RELEASE_AT_BYTES) {
      this.#held.delete(stream)
      return [windowUpdate(stream, bytes)]
    }

    this.#evicted = []
    this.#held.set(stream, bytes)
    return this.#evicted
  }
}

/** Whether a frame is a window update without flags. Updates that open, confirm or end a stream must be sent. */
function isWindowUpdate(frame: Frame): frame is Uint8Array {
  return (
    frame instanceof Uint8Array &&
    frame.length === HEAD_BYTES &&
    frame[0] === VERSION &&
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
