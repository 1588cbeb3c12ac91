import type { Stream } from '@libp2p/interface'

/** Approximate memory of each piece besides its bytes. */
const PIECE_BYTES = 200

/**
 * The memory of unread bytes on a stream. A peer may send single bytes, and libp2p keeps each piece separately
 * until it is read.
 */
export function unreadBytes(stream: Stream): number {
  const { readBufferLength } = stream
  return readBufferLength === 0 ? 0 : readBufferLength + PIECE_BYTES * piecesIn(stream)
}

function piecesIn(stream: Stream): number {
  const pieces: unknown = Reflect.get(stream, 'readBuffer')
  let count = 0

  if (typeof pieces === 'object' && pieces !== null && Symbol.iterator in pieces) {
    for (const _ of pieces as Iterable<unknown>) {
      count++
    }
  }

  return count
}
