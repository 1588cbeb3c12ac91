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

/** Bytes of a stream's initial window. */
const WINDOW_BYTES: number = 256 * 1024

/** Bytes that a sender has left when an update is sent: half of the initial window, as in go-yamux. */
const RELEASE_AT_BYTES: number = WINDOW_BYTES / 2

/** Streams whose updates are held. Streams end without notice; beyond this many the oldest update is sent. */
const MAX_HELD_STREAMS = 256

type Frame = Parameters<MessageStream['send']>[0]

interface Held {
  readonly bytes: number

  /** Bytes of the window that the muxer has granted, at least. */
  readonly windowBytes: number
}

/** Sums up a muxer's window updates, stream by stream, until they justify a frame. */
export class HeldWindowUpdates {
  #evicted: Frame[] = []

  /** Updates held, by stream. */
  readonly #held = new BoundedMap<number, Held>({
    maxSize: MAX_HELD_STREAMS,
    onEvict: (stream, { bytes }) => this.#evicted.push(windowUpdate(stream, bytes))
  })

  /** Returns the frames to send in place of one frame: mostly that frame, or none. */
  pass(frame: Frame): Frame[] {
    if (!isWindowUpdate(frame)) {
      return [frame]
    }

    const head = new DataView(frame.buffer, frame.byteOffset, HEAD_BYTES)
    const stream = head.getUint32(STREAM_AT)
    const length = head.getUint32(LENGTH_AT)
    const known = this.#held.get(stream)
    const bytes = (known?.bytes ?? 0) + length
    const windowBytes = Math.max(known?.windowBytes ?? WINDOW_BYTES, leastWindow(length))

    if (windowBytes - bytes <= RELEASE_AT_BYTES) {
      this.#held.delete(stream)
      return [windowUpdate(stream, bytes)]
    }

    this.#evicted = []
    this.#held.set(stream, { bytes, windowBytes })
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

/**
 * Returns the bytes of the smallest window that an update can belong to. yamux doubles the window of a stream that
 * is read quickly, and an update is never larger than the window. So an update for a few bytes that have been read
 * can grant far more, which nobody needs while the sender has enough left: most streams carry one short message.
 */
function leastWindow(length: number): number {
  let bytes = WINDOW_BYTES

  while (bytes < length) {
    bytes *= 2
  }

  return bytes
}

function windowUpdate(stream: number, bytes: number): Uint8Array {
  const frame = new Uint8Array(HEAD_BYTES)
  const head = new DataView(frame.buffer)
  frame[1] = WINDOW_UPDATE
  head.setUint32(STREAM_AT, stream)
  head.setUint32(LENGTH_AT, bytes)
  return frame
}
