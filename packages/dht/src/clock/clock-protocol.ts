import type { AbortOptions, Stream } from '@libp2p/interface'
import { byteStream } from '@libp2p/utils'
import type { DHTTime } from '@waggle/record'
import { type ClockReading, clockReading } from '../clock-reading.ts'
import { ExchangeProtocolError } from '../wire/protocol-error.ts'

/** One byte asks; the answer is the time as a float64, big end first; then the stream is closed. */
export const CLOCK_PROTOCOL = '/waggle/clock/1.0.0'

/** Streams of one connection on which the time may be asked at once. */
export const MAX_CLOCK_STREAMS = 4

const QUESTION = Uint8Array.of(0)
const ANSWER_BYTES = 8

/** The farthest moment that calendars know, in seconds from 1970, either way. Beyond it differences might be infinite. */
const MAX_TIME = 8.64e12

/** What a peer may send before it is read: more than either side has to say. */
const MAX_UNREAD_BYTES = 64

/** How long one who has opened a stream may take to ask, and to read the answer. */
const SERVING_TIMEOUT_MS = 5000

type DHTClock = () => DHTTime

/** Tells the time to the peer that has opened the stream. */
export async function tellTime(stream: Stream, clock: DHTClock): Promise<void> {
  const signal = AbortSignal.timeout(SERVING_TIMEOUT_MS)
  const bytes = byteStream(stream, { maxBufferSize: MAX_UNREAD_BYTES })
  await bytes.read({ bytes: QUESTION.length, signal })
  const answer = new Uint8Array(ANSWER_BYTES)
  new DataView(answer.buffer).setFloat64(0, clock())
  await bytes.write(answer, { signal })
  await stream.close({ signal })
}

/** Asks the peer at the other end of the stream for the time. */
export async function askTime(
  stream: Stream,
  clock: DHTClock,
  options: AbortOptions
): Promise<ClockReading> {
  const bytes = byteStream(stream, { maxBufferSize: MAX_UNREAD_BYTES })
  const askedAt = clock()
  const startMs = performance.now()
  const [answer] = await Promise.all([
    bytes.read({ bytes: ANSWER_BYTES, ...options }),
    bytes.write(QUESTION, options)
  ])
  const tookMs = performance.now() - startMs
  const peerTime = peerTimeIn(answer.subarray())
  await stream.close(options)
  return clockReading({ askedAt, tookMs, peerTime })
}

/**
 * The time in an answer.
 *
 * @throws ExchangeProtocolError when it is none
 */
export function peerTimeIn(answer: Uint8Array): DHTTime {
  const peerTime = new DataView(answer.buffer, answer.byteOffset).getFloat64(0)

  if (!(Math.abs(peerTime) <= MAX_TIME)) {
    throw new ExchangeProtocolError(`the peer has ${peerTime} for a time`)
  }

  return peerTime
}
