import type { Stream } from '@libp2p/interface'
import { MalformedBytesError, toError } from '../errors.ts'
import type { Buffering } from '../waggle-parts.ts'
import { type Call, decodeCall, FrameCollector } from '../wire/envelope.ts'
import { MAX_UNREAD_BYTES } from './stream-call.ts'

export interface InboundCallInit {
  readonly stream: Stream

  /** The call is here as a whole. */
  readonly onCall: (call: Call, frameBytes: number) => void

  /** What has come is no call. */
  readonly onViolation: (error: MalformedBytesError) => void

  /** Some of it has come, and waits for the rest. */
  readonly onPartial: (partial: InboundCall) => void

  /** The stream has ended. */
  readonly onEnd: (partial: InboundCall) => void
}

/** Reads one call from a stream, and writes the reply to it. */
export class InboundCall implements Buffering {
  readonly #init: InboundCallInit
  readonly #collector = new FrameCollector()
  #stuckSinceMs: number | undefined
  #isTaken = false
  #isOpen = true

  constructor(init: InboundCallInit) {
    this.#init = init
    const { stream } = init
    stream.maxReadBufferLength = MAX_UNREAD_BYTES
    stream.addEventListener('message', ({ data }) => this.#push(data.subarray()))
    stream.addEventListener('close', () => this.#end())
  }

  /** Bytes that wait here for the rest of a call, or for the peer to read the reply. */
  get bufferedBytes(): number {
    const { writeBufferLength } = this.#init.stream
    return (this.#isTaken ? 0 : this.#collector.length) + writeBufferLength
  }

  get stuckSinceMs(): number | undefined {
    return this.#stuckSinceMs
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Sends the reply and ends the stream in both directions. */
  reply(frame: Uint8Array): void {
    const { stream, onPartial } = this.#init

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
      onPartial(this)
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
      // p2pd would cancel the call for this. Here it means nothing.
      return
    }

    try {
      const message = this.#collector.push(chunk)

      if (message === undefined) {
        this.#stuckSinceMs ??= performance.now()
        this.#init.onPartial(this)
        return
      }

      this.#isTaken = true
      this.#stuckSinceMs = undefined
      this.#init.onCall(decodeCall(message), message.length)
    } catch (error) {
      this.close(toError(error))

      if (error instanceof MalformedBytesError) {
        this.#init.onViolation(error)
      }
    }
  }

  #end(): void {
    if (this.#isOpen) {
      this.#isOpen = false
      this.#init.onEnd(this)
    }
  }
}
