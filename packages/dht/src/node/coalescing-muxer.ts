import {
  type MessageStream,
  type StreamMuxer,
  type StreamMuxerFactory,
  serviceCapabilities
} from '@libp2p/interface'
import { HeldWindowUpdates } from './held-window-updates.ts'
import { withSend } from './with-send.ts'

/**
 * The same yamux with fewer messages on the wire. By itself it answers every message of a stream
 * with a window update, and encrypts and writes every frame on its own: two messages for each one
 * that says something. Here all frames of one microtask go out in one write, and window updates
 * wait until they matter. What is sent is plain yamux, and the other side needs to know nothing.
 *
 * `streamMuxers: [coalescingMuxer(yamux())]`
 */
export function coalescingMuxer<C>(
  muxer: (components: C) => StreamMuxerFactory
): (components: C) => StreamMuxerFactory {
  return (components) => {
    const inner = muxer(components)
    const capabilities: unknown = Reflect.get(inner, serviceCapabilities)

    return {
      protocol: inner.protocol,
      createStreamMuxer: (connection: MessageStream): StreamMuxer =>
        inner.createStreamMuxer(quiet(connection)),
      ...{ [serviceCapabilities]: capabilities }
    }
  }
}

function quiet(connection: MessageStream): MessageStream {
  const frames = new QuietFrames(connection)

  return withSend(connection, {
    send: (frame) => frames.send(frame),
    close: (options) => {
      frames.flush()
      return connection.close(options)
    },
    abort: (error) => {
      frames.flush()
      connection.abort(error)
    }
  })
}

type Bytes = Parameters<MessageStream['send']>[0]

/** What one muxer sends over its connection. */
class QuietFrames {
  readonly #connection: MessageStream
  readonly #windowUpdates = new HeldWindowUpdates()
  #frames: Bytes[] = []
  #sizeBytes = 0
  #isFlushScheduled = false

  constructor(connection: MessageStream) {
    this.#connection = connection
  }

  /** Whether more can be sent, as a stream's own `send` says it. */
  send(frame: Bytes): boolean {
    for (const due of this.#windowUpdates.pass(frame)) {
      this.#frames.push(due)
      this.#sizeBytes += due.byteLength
    }

    if (this.#frames.length > 0 && !this.#isFlushScheduled) {
      this.#isFlushScheduled = true
      queueMicrotask(() => {
        this.#isFlushScheduled = false
        this.flush()
      })
    }

    return !this.#connection.writableNeedsDrain
  }

  flush(): void {
    if (this.#frames.length === 0) {
      return
    }

    const bytes = this.#take()

    try {
      this.#connection.send(bytes)
    } catch {
      // It has ended, and its streams with it: they have heard of it, and nobody waits for these frames.
    }
  }

  #take(): Uint8Array {
    const bytes = new Uint8Array(this.#sizeBytes)
    let position = 0

    for (const frame of this.#frames) {
      bytes.set(frame.subarray(), position)
      position += frame.byteLength
    }

    this.#frames = []
    this.#sizeBytes = 0
    return bytes
  }
}
