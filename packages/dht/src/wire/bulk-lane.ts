import type { ByteWriter } from './bytes.ts'
import { CongestionWindow } from './congestion-window.ts'
import { writePart } from './frames.ts'

/** The window of all lanes that have sent nothing yet, which is not changed. Most streams carry small messages only. */
const UNUSED = new CongestionWindow()

/**
 * Outgoing bulk messages, in order. They are sent in parts, within the path's congestion window, so that other
 * messages can pass them.
 */
export class BulkLane {
  #window: CongestionWindow = UNUSED
  readonly #messages: Uint8Array[] = []

  /** Sent bytes of the first message. */
  #sent = 0
  #queuedBytes = 0

  /** Bytes that are not sent yet. */
  get queuedBytes(): number {
    return this.#queuedBytes
  }

  /** Bytes that were sent and not acknowledged. */
  get inFlight(): number {
    return this.#window.inFlight
  }

  /** Bytes of the congestion window. */
  get windowBytes(): number {
    return this.#window.bytes
  }

  /** Bytes of the largest message that is sent whole, because others need not pass it. */
  get wholeBytes(): number {
    return this.#window.wholeBytes
  }

  push(message: Uint8Array): void {
    this.#messages.push(message)
    this.#queuedBytes += message.length
  }

  /** Whether a part can be sent. */
  get isReady(): boolean {
    return this.#queuedBytes > 0 && this.#window.hasRoom
  }

  /** Writes the next part. */
  write(to: ByteWriter, nowMs: number): void {
    if (this.#window === UNUSED) {
      this.#window = new CongestionWindow()
    }

    const message = this.#messages[0] as Uint8Array
    const bytes = this.#window.partOf(message.length - this.#sent)
    const part = message.subarray(this.#sent, this.#sent + bytes)
    this.#sent += part.length
    this.#queuedBytes -= part.length
    const isLast = this.#sent === message.length
    writePart(to, part, isLast)
    this.#window.send(part.length, this.#queuedBytes === 0, nowMs)

    if (isLast) {
      this.#messages.shift()
      this.#sent = 0
    }
  }

  /** Records acknowledged bytes. Returns false if there were fewer in flight. */
  receive(bytes: number, nowMs: number): boolean {
    return this.#window === UNUSED ? bytes === 0 : this.#window.receive(bytes, nowMs)
  }
}
