import { createHash, randomBytes } from 'node:crypto'
import type { Stream, StreamCloseEvent, StreamMessageEvent } from '@libp2p/interface'
import { turns } from './end-of-turn.ts'

/**
 * Bytes that may arrive while a reader pauses: yamux lets a fast sender have up to 16 MiB in flight.
 */
const MAX_UNREAD_BYTES = 20 * 1024 * 1024

/** Sizes of pieces, from small to large, around the limits of yamux and noise. */
const PIECES = [1, 65_519, 17, 1000, 131_072, 5, 262_132, 300_000, 12, 40_000]

/** Bytes and their digest. */
export interface Load {
  readonly bytes: Uint8Array
  readonly digest: string
}

export function load(size: number): Load {
  const bytes = new Uint8Array(randomBytes(size))
  return { bytes, digest: createHash('sha256').update(bytes).digest('hex') }
}

/** Sends pieces of all sizes, as fast as the other side reads. */
export async function sendAll(stream: Stream, { bytes }: Load): Promise<void> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const end = at + (PIECES[i % PIECES.length] ?? 1)

    if (!stream.send(bytes.subarray(at, end))) {
      await stream.onDrain()
    }

    at = end
  }
}

export interface Reading {
  /** Bytes read before the reader pauses. By default it never does. */
  readonly breakAfterBytes?: number
}

/** Receives this many bytes, and resolves with their digest. */
export function receiveAll(
  stream: Stream,
  size: number,
  { breakAfterBytes = Number.POSITIVE_INFINITY }: Reading = {}
): Promise<string> {
  const hash = createHash('sha256')
  let received = 0
  let sinceBreak = 0
  stream.maxReadBufferLength = MAX_UNREAD_BYTES

  return new Promise((resolve, reject) => {
    const onClose = ({ error }: StreamCloseEvent): void => {
      reject(error ?? new Error(`the stream has ended after ${received} of ${size} bytes`))
    }
    const onMessage = ({ data }: StreamMessageEvent): void => {
      hash.update(data.subarray())
      received += data.byteLength
      sinceBreak += data.byteLength

      if (received >= size) {
        stream.removeEventListener('close', onClose)
        stream.removeEventListener('message', onMessage)
        resolve(received === size ? hash.digest('hex') : `${received - size} bytes too many`)
      } else if (sinceBreak >= breakAfterBytes) {
        sinceBreak = 0
        takeBreak(stream).catch(reject)
      }
    }
    stream.addEventListener('close', onClose)
    stream.addEventListener('message', onMessage)
  })
}

async function takeBreak(stream: Stream): Promise<void> {
  stream.pause()
  await turns(3)
  stream.resume()
}
