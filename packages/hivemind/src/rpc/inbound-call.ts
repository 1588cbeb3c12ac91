import type { Stream } from '@libp2p/interface'
import { MalformedBytesError, toError } from '../errors.ts'
import type { Buffering } from '../waggle-parts.ts'
import { type Call, decodeCall, FrameCollector } from '../wire/envelope.ts'
import { MAX_UNREAD_BYTES } from './stream-call.ts'

/** Bytes of a waiting call from which the buffer limits are checked. */
const LARGE_CALL_BYTES: number = 16 * 1024

export interface InboundCallInit {
  readonly stream: Stream

  /** Called with the complete call. */
  readonly onCall: (call: Call) => void

  /** Called when the bytes are not a call. */
  readonly onViolation: (error: MalformedBytesError) => void

  /** Called when bytes are buffered on the stream. */
  readonly onBuffered: () => void

  /** Called when the stream has ended. */
  readonly onEnd: () => void
}

/** Reads one call from a stream and writes its reply. */
export class InboundCall implements Buffering {
  readonly #init: InboundCallInit
  readonly #collector = new FrameCollector()
  #stuckSinceMs: number | undefined
  #callBytes = 0
  #isTaken = false
  #isOpen = true

  constructor(init: InboundCallInit) {
    this.#init = init
    const { stream } = init
    stream.maxReadBufferLength = MAX_UNREAD_BYTES
    stream.addEventListener('message', ({ data }) => this.#push(data.subarray()))
    stream.addEventListener('close', () => this.#end())
  }

  /** Bytes of a call that is incomplete or unanswered, and of a reply that the peer has not read. */
  get bufferedBytes(): number {
    const { writeBufferLength } = this.#init.stream
    return (this.#isTaken ? this.#callBytes : this.#collector.length) + writeBufferLength
  }

  get stuckSinceMs(): number | undefined {
    return this.#stuckSinceMs
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Sends the reply and ends the stream in both directions. */
  reply(frame: Uint8Array): void {
    const { stream, onBuffered } = this.#init
    this.#callBytes = 0

    if (!this.#isOpen) {
      return
    }

    try {
      stream.send(frame)
    } catch (error) {
      this.close(toError(error))
      return
    }

    if (stream.writeBufferLength > 0) {
      this.#stuckSinceMs = performance.now()
      onBuffered()
    }

    stream.close().then(
      () => this.#end(),
      (error: unknown) => this.close(toError(error))
    )
  }

  close(error: Error): void {
    this.#init.stream.abort(error)
    this.#end()
  }

  #push(chunk: Uint8Array): void {
    if (this.#isTaken) {
      // p2pd would cancel the call. Here the event has no meaning.
      return
    }

    try {
      const message = this.#collector.push(chunk)

      if (message === undefined) {
        this.#stuckSinceMs ??= performance.now()
        this.#init.onBuffered()
      } else {
        this.#take(message)
      }
    } catch (error) {
      this.close(toError(error))

      if (error instanceof MalformedBytesError) {
        this.#init.onViolation(error)
      }
    }
  }

  #take(message: Uint8Array): void {
    const { onBuffered, onCall } = this.#init
    this.#isTaken = true
    this.#stuckSinceMs = undefined
    this.#callBytes = message.length

    if (message.length > LARGE_CALL_BYTES) {
      onBuffered()
    }

    onCall(decodeCall(message))
  }

  #end(): void {
    if (this.#isOpen) {
      this.#isOpen = false
      this.#init.onEnd()
    }
  }
}
