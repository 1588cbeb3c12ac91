import type { Stream } from '@libp2p/interface'

const PREFIX_BYTES = 4

/** Sends requests on a stream. Replies come in the order of the requests. */
export class Requester {
  readonly #send: (message: Uint8Array) => void
  readonly #pending: PromiseWithResolvers<void>[] = []

  constructor(stream: Stream, { isCoalesced = false } = {}) {
    this.#send = sender(stream, isCoalesced)
    onMessages(stream, () => this.#pending.shift()?.resolve())
    stream.addEventListener('close', () => {
      for (const { reject } of this.#pending.splice(0)) {
        reject(new Error('the stream was closed'))
      }
    })
  }

  /** Resolves when the reply has arrived. */
  async request(message: Uint8Array): Promise<void> {
    const reply = Promise.withResolvers<void>()
    this.#pending.push(reply)
    this.#send(message)
    await reply.promise
  }
}

/** Sends each message back. */
export function echo(stream: Stream, { isCoalesced = false } = {}): void {
  onMessages(stream, sender(stream, isCoalesced))
}

/** Prefixes each message with its length. `isCoalesced`: all messages of one microtask go out in one write. */
function sender(stream: Stream, isCoalesced: boolean): (message: Uint8Array) => void {
  let queue: Uint8Array[] = []

  const flush = (): void => {
    stream.send(Buffer.concat(queue))
    queue = []
  }

  return (message) => {
    const bytes = Buffer.allocUnsafe(PREFIX_BYTES + message.length)
    bytes.writeUInt32BE(message.length)
    bytes.set(message, PREFIX_BYTES)

    if (!isCoalesced) {
      stream.send(bytes)
    } else if (queue.push(bytes) === 1) {
      queueMicrotask(flush)
    }
  }
}

/** Splits arriving bytes into messages. */
function onMessages(stream: Stream, onMessage: (message: Uint8Array) => void): void {
  let rest: Uint8Array = new Uint8Array(0)

  stream.addEventListener('message', ({ data }) => {
    const bytes = rest.length === 0 ? data.subarray() : Buffer.concat([rest, data.subarray()])
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    let start = 0

    while (bytes.length - start >= PREFIX_BYTES) {
      const end = start + PREFIX_BYTES + view.getUint32(start)

      if (end > bytes.length) {
        break
      }

      onMessage(bytes.subarray(start + PREFIX_BYTES, end))
      start = end
    }

    rest = bytes.subarray(start)
  })
}
