const PREFIX_BYTES = 4

/** A message with its length before it. */
export function frame(message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(PREFIX_BYTES + message.length)
  new DataView(bytes.buffer).setUint32(0, message.length)
  bytes.set(message, PREFIX_BYTES)
  return bytes
}

/** Cuts what arrives into messages. */
export class FrameReader {
  #rest: Uint8Array<ArrayBufferLike> = new Uint8Array(0)
  readonly #onMessage: (message: Uint8Array) => void

  constructor(onMessage: (message: Uint8Array) => void) {
    this.#onMessage = onMessage
  }

  push(chunk: Uint8Array): void {
    const bytes = this.#rest.length === 0 ? chunk : concat(this.#rest, chunk)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    let start = 0

    while (bytes.length - start >= PREFIX_BYTES) {
      const end = start + PREFIX_BYTES + view.getUint32(start)

      if (end > bytes.length) {
        break
      }

      this.#onMessage(bytes.subarray(start + PREFIX_BYTES, end))
      start = end
    }

    this.#rest = bytes.subarray(start)
  }
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(a.length + b.length)
  bytes.set(a)
  bytes.set(b, a.length)
  return bytes
}
