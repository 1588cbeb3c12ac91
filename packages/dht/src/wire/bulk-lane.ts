import type { ByteWriter } from './bytes.ts'
import { CongestionWindow } from './congestion-window.ts'
import { writePart } from './frames.ts'

/**
 * Bulk messages that are being sent, in their order. They go out in parts, no more at a time than the
 * way to the peer takes, so that other messages can pass them.
 */
export class BulkLane {
  readonly #window = new CongestionWindow()
  readonly #messages: Uint8Array[] = []

  /** Bytes of the first message that went out already. */
  #sent = 0
  #queuedBytes = 0

  /** Bytes that could not go out yet. */
  get queuedBytes(): number {
    return this.#queuedBytes
  }

  /** Bytes that went out and are not known to be received. */
  get inFlight(): number {
    return this.#window.inFlight
  }

  /** Bytes that the way to the peer takes at once. */
  get windowBytes(): number {
    return this.#window.bytes
  }

  /** Bytes of the largest message that others need not be able to pass. */
  get wholeBytes(): number {
    return this.#window.wholeBytes
  }

  push(message: Uint8Array): void {
    this.#messages.push(message)
    this.#queuedBytes += message.length
  }

  /** Whether a part can go out. */
  get isReady(): boolean {
    return this.#queuedBytes > 0 && this.#window.hasRoom
  }

  /** Writes the next part. */
  write(to: ByteWriter, nowMs: number): void {
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

  /** Takes note that so many bytes were received. Returns false if so many were not in flight. */
  receive(bytes: number, nowMs: number): boolean {
    return this.#window.receive(bytes, nowMs)
  }
}
