import type { Stream } from '@libp2p/interface'
import { toError } from '../errors.ts'
import {
  type Call,
  callFrame,
  decodeReply,
  FrameCollector,
  MAX_FRAME_BYTES,
  type Reply
} from '../wire/envelope.ts'

/** Bytes that may arrive before they are read: a whole frame and its length. */
export const MAX_UNREAD_BYTES: number = MAX_FRAME_BYTES + 1024

/**
 * Makes a call over a stream of its own, and closes it once the reply has come. Closing this side
 * before would have Python cancel the call.
 */
export async function callOver(stream: Stream, call: Call, signal: AbortSignal): Promise<Reply> {
  const { promise, resolve, reject } = Promise.withResolvers<Reply>()
  const collector = new FrameCollector()
  const listening = new AbortController()
  const options = { signal: listening.signal }
  const onEnd = (): void => reject(new Error('the peer ended the stream without an answer'))
  stream.maxReadBufferLength = MAX_UNREAD_BYTES
  stream.addEventListener(
    'message',
    ({ data }) => {
      try {
        const message = collector.push(data.subarray())

        if (message !== undefined) {
          resolve(decodeReply(message))
        }
      } catch (error) {
        reject(error)
      }
    },
    options
  )
  stream.addEventListener('end', onEnd, options)
  stream.addEventListener(
    'close',
    ({ error }) => (error === undefined ? onEnd() : reject(error)),
    options
  )
  signal.addEventListener('abort', () => reject(signal.reason), options)

  try {
    signal.throwIfAborted()
    stream.send(callFrame(call))
    const reply = await promise
    // Nobody waits for the stream to end.
    stream.close().catch((error) => stream.abort(toError(error)))
    return reply
  } catch (error) {
    stream.abort(toError(error))
    throw error
  } finally {
    listening.abort()
  }
}
