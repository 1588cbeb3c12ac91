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

  /** Whether writing is blocked. */
  readonly isBlocked: () => boolean
  readonly write: (bytes: Uint8Array) => void

  /** Called when parts of bulk messages were sent. */
  readonly onBulk: () => void
}

/**
 * Outgoing frames of one stream. All of one microtask are sent in a single write. Bulk and large messages are sent
 * in parts, see {@link BulkLane}.
 */
export class OutboundFrames<M> {
  readonly #init: OutboundFramesInit<M>
  readonly #writer = new ByteWriter()
  readonly #lane = new BulkLane()
  #isFlushScheduled = false

  constructor(init: OutboundFramesInit<M>) {
    this.#init = init
  }

  /** Bytes of bulk messages that are not sent yet. */
  get queuedBytes(): number {
    return this.#lane.queuedBytes
  }

  /** Bytes of the congestion window. */
  get windowBytes(): number {
    return this.#lane.windowBytes
  }

  /** @throws MessageTooLargeError for a message above the protocol's limit, of which nothing is written */
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

  /** Sends an encoded frame. */
  sendFrame(frame: Uint8Array): void {
    if (this.#goesWhole(frame.length)) {
      this.#writer.bytes(frame)
    } else {
      this.#lane.push(messageIn(frame))
    }

    this.#flushSoon()
  }

  /** Acknowledges received bulk bytes, which allows the other side to send more. */
  acknowledge(bytes: number): void {
    writeAck(this.#writer, bytes)
    this.#flushSoon()
  }

  /** Processes an ack. Returns false if fewer bytes were in flight. */
  receiveAck(bytes: number, nowMs: number): boolean {
    this.#flushSoon()
    return this.#lane.receive(bytes, nowMs)
  }

  /**
   * Writes queued frames, and one part of a bulk message. The next part is sent in another write: one write is
   * encrypted as a whole, and can be read only when all of it has arrived.
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

  /** Whether a frame is small enough to be sent whole and at once. */
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
