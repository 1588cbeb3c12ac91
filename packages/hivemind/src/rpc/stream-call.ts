import type { Stream } from '@libp2p/interface'
import { concat } from 'uint8arrays/concat'
import { toError } from '../errors.ts'
import {
  type Call,
  callFrame,
  decodeReply,
  FrameCollector,
  MAX_FRAME_BYTES,
  type Reply
} from '../wire/envelope.ts'
import { OfferReply, takeOffer } from './lazy-negotiation.ts'

/** Bytes that may arrive before they are read: a whole frame and its length. */
export const MAX_UNREAD_BYTES: number = MAX_FRAME_BYTES + 1024

/**
 * Makes a call over its own stream and closes it after the reply. Closing this side earlier would make Python
 * cancel the call.
 */
export function callOver(stream: Stream, call: Call, signal: AbortSignal): Promise<Reply> {
  return new Promise((resolve, reject) => {
    new StreamCall({ stream, signal, resolve, reject }).send(call)
  })
}

interface StreamCallInit {
  readonly stream: Stream
  readonly signal: AbortSignal
  readonly resolve: (reply: Reply) => void
  readonly reject: (error: Error) => void
}

/**
 * One call on a stream. Handles the stream's events itself: signals and errors for each call would cost more than
 * the call's own bytes.
 */
class StreamCall {
  readonly #init: StreamCallInit
  readonly #offer: Uint8Array
  readonly #confirmation: OfferReply
  readonly #collector = new FrameCollector()
  readonly #onAbort = (): void => this.#fail(this.#init.signal.reason)
  #isSettled = false

  constructor(init: StreamCallInit) {
    this.#init = init
    const { stream, signal } = init
    this.#offer = takeOffer(stream)
    this.#confirmation = new OfferReply(this.#offer)
    const onEnd = (error?: Error): void => {
      if (!this.#isSettled) {
        this.#fail(error ?? new Error('the peer ended the stream without an answer'))
      }
    }
    stream.maxReadBufferLength = MAX_UNREAD_BYTES
    stream.addEventListener('message', ({ data }) => this.#take(data.subarray()))
    stream.addEventListener('end', () => onEnd())
    stream.addEventListener('close', ({ error }) => onEnd(error))
    signal.addEventListener('abort', this.#onAbort)
  }

  send(call: Call): void {
    const { signal, stream } = this.#init

    try {
      signal.throwIfAborted()
      stream.send(concat([this.#offer, callFrame(call)]))
    } catch (error) {
      this.#fail(error)
    }
  }

  #take(chunk: Uint8Array): void {
    if (this.#isSettled) {
      return
    }

    try {
      const message = this.#collector.push(this.#confirmation.strip(chunk))

      if (message !== undefined) {
        this.#succeed(decodeReply(message))
      }
    } catch (error) {
      this.#fail(error)
    }
  }

  #succeed(reply: Reply): void {
    const { stream, resolve } = this.#init
    this.#settle()
    resolve(reply)
    // The call does not wait for the stream to close.
    stream.close().catch((error) => stream.abort(toError(error)))
  }

  #fail(thrown: unknown): void {
    const { stream, reject } = this.#init

    if (!this.#isSettled) {
      this.#settle()
      reject(toError(thrown))
      stream.abort(toError(thrown))
    }
  }

  #settle(): void {
    this.#isSettled = true
    this.#init.signal.removeEventListener('abort', this.#onAbort)
  }
}
