import {
  type ComponentLogger,
  type MessageStream,
  type StreamMuxer,
  type StreamMuxerFactory,
  serviceCapabilities
} from '@libp2p/interface'
import { concat } from 'uint8arrays/concat'
import { equals } from 'uint8arrays/equals'
import { overriding } from '../door/overriding.ts'
import { atEndOfTurn } from '../timing/end-of-turn.ts'
import { fallbackWarning } from '../warn.ts'
import { EarlyStreams } from './early-streams.ts'
import { HeldWindowUpdates } from './held-window-updates.ts'
import { isSender } from './is-sender.ts'
import { ReceivedFrames } from './received-frames.ts'
import { FrameHead } from './yamux-frames.ts'

/** The muxer whose frame format is supported. */
const YAMUX = '/yamux/1.0.0'

/** The first line of a reply to a protocol's offer (multistream-select). The line that names the protocol follows. */
const GREETING = new TextEncoder().encode('\x13/multistream/1.0.0\n')

/**
 * Inbound streams that may be opened before this side has set up the connection. They are as large as other
 * streams.
 */
const MAX_EARLY_STREAMS = 128

/**
 * Wraps yamux so that it sends fewer messages. By itself it answers every message of a stream with a window update,
 * and encrypts and writes every frame on its own: two messages for each one that carries data. Here all frames of
 * one microtask go out in one write, window updates are delayed until they matter, and frames that nobody waits for
 * go out with the next one, or at the end of the turn. The frames are plain yamux,
 * and the other side needs no change. A muxer of another structure is used unchanged, with a warning.
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
          return patient(inner.createStreamMuxer(coalescing(connection)))
        }

        onFallback()
        return inner.createStreamMuxer(connection)
      },
      ...{ [serviceCapabilities]: Reflect.get(inner, serviceCapabilities) as unknown }
    }
  }
}

/**
 * Makes the muxer keep streams that are opened before this side has set up the connection: js-libp2p closes the
 * connection at 11.
 */
function patient(muxer: StreamMuxer): StreamMuxer {
  if (typeof Reflect.get(muxer, 'maxEarlyStreams') === 'number') {
    Reflect.set(muxer, 'maxEarlyStreams', MAX_EARLY_STREAMS)
  }

  return muxer
}

function coalescing(connection: MessageStream): MessageStream {
  const frames = new CoalescedFrames(connection)
  const received = new ReceivedFrames({ connection, onData: () => frames.releaseEarly() })
  const addEventListener = connection.addEventListener.bind(connection)

  return overriding<MessageStream>(connection, {
    send: (frame) => frames.send(frame),
    close: (options) => {
      frames.releaseEarly()
      frames.flush()
      return connection.close(options)
    },
    abort: (error) => {
      frames.flush()
      connection.abort(error)
    },
    addEventListener: (type: string, listener: unknown, options?: unknown) => {
      if (type === 'message') {
        received.listen(listener as Parameters<typeof received.listen>[0])
      } else {
        Reflect.apply(addEventListener, connection, [type, listener, options])
      }
    }
  })
}

type Bytes = Parameters<MessageStream['send']>[0]

/** Frames that one muxer sends over its connection. */
class CoalescedFrames {
  readonly #connection: MessageStream
  readonly #windowUpdates = new HeldWindowUpdates()

  /** Delays streams until the other side reads its streams. */
  #early: EarlyStreams<Bytes> | undefined = new EarlyStreams((frames) => this.#pass(frames))

  /** Streams that the next write opens. */
  #opened: Set<number> | undefined
  #frames: Uint8Array[] = []
  #isFlushScheduled = false
  #isLateFlushScheduled = false

  constructor(connection: MessageStream) {
    this.#connection = connection
  }

  /** Returns whether more can be sent, as a stream's own `send` does. */
  send(frame: Bytes): boolean {
    if (this.#early?.holds(frame) !== true) {
      this.#pass(this.#windowUpdates.pass(frame))
    }

    return !this.#connection.writableNeedsDrain
  }

  /** Sends the frames that waited for the other side to read its streams. */
  releaseEarly(): void {
    this.#early?.release()
    this.#early = undefined
  }

  #pass(frames: readonly Bytes[]): void {
    for (const frame of frames) {
      const bytes = frame instanceof Uint8Array ? frame : frame.subarray()
      const head = new FrameHead(bytes)
      this.#keepApart(head)
      this.#frames.push(bytes)

      if (head.isMark || isGreeting(bytes, head)) {
        this.#flushLate()
      } else {
        this.#flushSoon()
      }
    }
  }

  #flushSoon(): void {
    if (!this.#isFlushScheduled) {
      this.#isFlushScheduled = true
      queueMicrotask(() => {
        this.#isFlushScheduled = false
        this.flush()
      })
    }
  }

  #flushLate(): void {
    if (!this.#isLateFlushScheduled) {
      this.#isLateFlushScheduled = true
      atEndOfTurn(() => {
        this.#isLateFlushScheduled = false
        this.flush()
      })
    }
  }

  /** Sends the end of a stream in another write than its beginning, see {@link ReceivedFrames}. */
  #keepApart(head: FrameHead): void {
    if (head.ends && this.#opened?.has(head.stream)) {
      this.flush()
    }

    if (head.opens) {
      this.#opened ??= new Set()
      this.#opened.add(head.stream)
    }
  }

  flush(): void {
    if (this.#frames.length === 0) {
      return
    }

    const bytes = this.#take()

    try {
      this.#connection.send(bytes)
    } catch {
      // The connection has ended and closed its streams, so these frames are obsolete.
    }
  }

  #take(): Uint8Array {
    const [first] = this.#frames
    const bytes = first && this.#frames.length === 1 ? first : concat(this.#frames)
    this.#frames = []
    this.#opened = undefined
    return bytes
  }
}

/** Whether a frame has nothing but the first line of a reply to an offer. */
function isGreeting(frame: Uint8Array, { dataBytes }: FrameHead): boolean {
  return dataBytes === GREETING.length && equals(frame.subarray(-GREETING.length), GREETING)
}
