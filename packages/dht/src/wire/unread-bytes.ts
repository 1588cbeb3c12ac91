import type { Stream } from '@libp2p/interface'

/** Bytes of memory that each piece takes besides its own, about. */
const PIECE_BYTES = 200

/**
 * The memory that holds what has come on a stream and was not read. A peer may send it byte by byte, and
 * libp2p keeps each piece by itself until it is read.
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
