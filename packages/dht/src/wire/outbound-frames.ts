import { BulkLane } from './bulk-lane.ts'
import { ByteWriter } from './bytes.ts'
import { messageIn, writeAck, writeFrame } from './frames.ts'
import { TARGET_MESSAGE_BYTES } from './limits.ts'
import type { MessageCodec } from './schema.ts'

export interface OutboundFramesInit<M> {
  readonly codec: MessageCodec<M>
  readonly maxMessageBytes: number | undefined

  /** Whether messages may pass bulk ones. */
  readonly mayPass: boolean

  /** Whether nothing can be written now. */
  readonly isBlocked: () => boolean
  readonly write: (bytes: Uint8Array) => void

  /** Parts of bulk messages went out. */
  readonly onBulk: () => void
}

/**
 * Frames on their way to one stream. All of one microtask go out in a single write. Bulk messages and
 * large ones go out bit by bit, see {@link BulkLane}.
 */
export class OutboundFrames<M> {
  readonly #init: OutboundFramesInit<M>
  readonly #writer = new ByteWriter()
  readonly #lane = new BulkLane()
  #isFlushScheduled = false

  constructor(init: OutboundFramesInit<M>) {
    this.#init = init
  }

  /** Bytes of bulk messages that could not go out yet. */
  get queuedBytes(): number {
    return this.#lane.queuedBytes
  }

  /** Bytes of bulk messages that the way to the peer takes at once. */
  get windowBytes(): number {
    return this.#lane.windowBytes
  }

  /** @throws MessageTooLargeError for a message that the protocol does not allow, of which nothing is sent */
  send(message: M, isBulk: boolean): void {
    const writer = this.#writer
    const start = writer.length
    writeFrame(writer, message, this.#init.codec, this.#init.maxMessageBytes)

    if (isBulk || !this.#goesWhole(writer.length - start)) {
      const bytes = writer.take()
      writer.bytes(bytes.subarray(0, start))
      this.#lane.push(messageIn(bytes.subarray(start)))
    }

    this.#flushSoon()
  }

  /** Sends a frame that was made before. */
  sendFrame(frame: Uint8Array): void {
    if (this.#goesWhole(frame.length)) {
      this.#writer.bytes(frame)
    } else {
      this.#lane.push(messageIn(frame))
    }

    this.#flushSoon()
  }

  /** Says how much has come of bulk messages. The other side sends no more of them than that allows. */
  acknowledge(bytes: number): void {
    writeAck(this.#writer, bytes)
    this.#flushSoon()
  }

  /** Takes in an ack. Returns false if fewer bytes were in flight. */
  receiveAck(bytes: number, nowMs: number): boolean {
    this.#flushSoon()
    return this.#lane.receive(bytes, nowMs)
  }

  /**
   * Writes what waits, of bulk messages one part. The next one goes out in another write: what is
   * written together is encrypted together, and can be read only when all of it has come.
   */
  flush(): void {
    const isBulk = this.#lane.isReady && !this.#init.isBlocked()

    if (isBulk) {
      this.#lane.write(this.#writer, performance.now())
    }

    if (this.#writer.length > 0) {
      this.#init.write(this.#writer.take())
    }

    if (isBulk) {
      this.#flushSoon()
      this.#init.onBulk()
    }
  }

  /** Whether a frame of so many bytes need not let others pass, nor wait for others. */
  #goesWhole(bytes: number): boolean {
    const isFree = this.#init.mayPass || this.#lane.queuedBytes === 0
    return isFree && bytes <= this.#lane.wholeBytes
  }

  #flushSoon(): void {
    if (this.#writer.length > TARGET_MESSAGE_BYTES) {
      this.flush()
    } else if (!this.#isFlushScheduled) {
      this.#isFlushScheduled = true
      queueMicrotask(() => {
        this.#isFlushScheduled = false
        this.flush()
      })
    }
  }
}
