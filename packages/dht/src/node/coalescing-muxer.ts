import {
  type ComponentLogger,
  type MessageStream,
  type StreamMuxer,
  type StreamMuxerFactory,
  serviceCapabilities
} from '@libp2p/interface'
import { overriding } from '../door/overriding.ts'
import { fallbackWarning } from '../warn.ts'
import { HeldWindowUpdates } from './held-window-updates.ts'
import { isSender } from './is-sender.ts'

/** The muxer whose frames are known here. */
const YAMUX = '/yamux/1.0.0'

/**
 * Wraps yamux so that it sends fewer messages. By itself it answers every message of a stream with a
 * window update, and encrypts and writes every frame on its own: two messages for each one that
 * carries data. Here all frames of one microtask go out in one write, and window updates wait until
 * they matter. The frames are plain yamux, and the other side needs no change. A muxer that works
 * otherwise is used as it is, with a warning.
 *
 * `streamMuxers: [coalescingMuxer(yamux())]`
 */
export function coalescingMuxer<C>(
  muxer: (components: C) => StreamMuxerFactory
): (components: C) => StreamMuxerFactory {
  return (components) => {
    const inner = muxer(components)
    const { logger } = Object(components) as { logger?: ComponentLogger }
    const onFallback = fallbackWarning('libp2p-yamux', 'connections cost more', logger)

    if (inner.protocol !== YAMUX) {
      onFallback()
      return inner
    }

    return {
      protocol: inner.protocol,
      createStreamMuxer(connection: MessageStream): StreamMuxer {
        if (isSender(connection)) {
          return inner.createStreamMuxer(coalescing(connection))
        }

        onFallback()
        return inner.createStreamMuxer(connection)
      },
      ...{ [serviceCapabilities]: Reflect.get(inner, serviceCapabilities) as unknown }
    }
  }
}

function coalescing(connection: MessageStream): MessageStream {
  const frames = new CoalescedFrames(connection)

  return overriding<MessageStream>(connection, {
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

/** Frames that one muxer sends over its connection. */
class CoalescedFrames {
  readonly #connection: MessageStream
  readonly #windowUpdates = new HeldWindowUpdates()
  #frames: Bytes[] = []
  #sizeBytes = 0
  #isFlushScheduled = false

  constructor(connection: MessageStream) {
    this.#connection = connection
  }

  /** Returns whether more can be sent, as a stream's own `send` does. */
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
      // The connection has ended and told its streams. Nobody waits for these frames.
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
