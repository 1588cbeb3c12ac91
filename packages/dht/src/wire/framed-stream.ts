import type { Stream } from '@libp2p/interface'
import { toError } from '../errors.ts'
import { DEFAULT_NODE_LIMITS } from '../node-limits.ts'
import { atEndOfTurn } from '../timing/end-of-turn.ts'
import { ByteWriter } from './bytes.ts'
import { FrameReader, writeFrame } from './frames.ts'
import {
  MAX_BYTES_IN_FLIGHT,
  MAX_MESSAGES_PER_TURN,
  MAX_REPLIES_IN_FLIGHT,
  TARGET_MESSAGE_BYTES
} from './limits.ts'
import { ProtocolViolationError } from './protocol-violation-error.ts'
import type { MessageCodec } from './schema.ts'
import { unreadBytes } from './unread-bytes.ts'

export interface FramedStreamInit<M> {
  readonly stream: Stream
  readonly codec: MessageCodec<M>

  /** Takes in a message. What it throws ends the stream. */
  readonly onMessage: (message: M) => void

  /** The stream has ended: by the other side or with its connection, or else by us. */
  readonly onClose: (error: Error, isByPeer: boolean) => void

  /** The other side has broken the protocol. The stream has ended. */
  readonly onViolation?: (error: ProtocolViolationError) => void

  /** Something is buffered that cannot be passed on yet. */
  readonly onBuffered?: () => void

  /** @default MAX_MESSAGE_BYTES */
  readonly maxMessageBytes?: number | undefined

  /** @default MAX_REPLIES_IN_FLIGHT */
  readonly maxRepliesInFlight?: number

  /**
   * Bytes that libp2p may hold while nothing is read.
   *
   * @default DEFAULTS.limits.maxBufferedBytesPerPeer
   */
  readonly maxUnreadBytes?: number

  /** Called when the stream was blocked and more can be sent now. */
  readonly onDrain?: () => void

  /**
   * Reads nothing while what it sends is not read on the other side, or while too many replies are
   * in flight. For the side that replies: neither unread replies nor requests for more of them pile
   * up. The side that requests must go on reading, or both would wait for each other.
   */
  readonly isServer?: boolean
}

/** Bytes of a frame made before that are copied behind others. A larger one goes by itself. */
const LARGEST_COPIED_BYTES = 16_384

/**
 * Messages over one libp2p stream. All frames of one microtask go out in a single write: many
 * small messages cost little more than one.
 */
export class FramedStream<M> {
  readonly #init: FramedStreamInit<M>
  readonly #reader: FrameReader
  readonly #writer = new ByteWriter()
  #isFlushScheduled = false
  #isOpen = true
  #repliesInFlight = 0
  #bytesInFlight = 0
  #pauses = 0
  #progressMs = performance.now()
  #stuckSinceMs: number | undefined

  constructor(init: FramedStreamInit<M>) {
    this.#init = init
    this.#reader = new FrameReader(init.maxMessageBytes)
    const { stream } = init
    // A fast sender may have a whole window in flight, all of which arrives after a pause.
    stream.maxReadBufferLength = init.maxUnreadBytes ?? DEFAULT_NODE_LIMITS.maxBufferedBytesPerPeer
    stream.addEventListener('message', ({ data }) => {
      this.#progressMs = performance.now()
      this.#reader.push(data)
      this.#readMessages()
    })
    stream.addEventListener('drain', () => {
      this.#progressMs = performance.now()
      this.#onDrain()
    })
    stream.addEventListener('remoteCloseWrite', () => {
      this.#end(new Error('the peer has closed the stream'), true)
    })
    stream.addEventListener('close', ({ error }) => {
      this.#onClose(error ?? new Error('the stream was closed'), true)
    })

    // It may have ended before anybody listened: finding out who may ask can take a while.
    if (stream.status !== 'open' || stream.remoteWriteStatus !== 'writable') {
      queueMicrotask(() => this.#end(new Error('the peer has closed the stream'), true))
    }
  }

  /** Whether the other side is too slow for more to be sent now. */
  get isBlocked(): boolean {
    return this.#init.stream.writableNeedsDrain
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Whether requests are being worked on, or replies are due. */
  get isWorking(): boolean {
    return this.#pauses > 0 || this.#repliesInFlight > 0
  }

  /** Bytes that have come and were not passed on or are still worked on, and bytes that could not go out. */
  get bufferedBytes(): number {
    const { stream } = this.#init
    return (
      this.#reader.length + this.#bytesInFlight + unreadBytes(stream) + stream.writeBufferLength
    )
  }

  /** When bytes moved last, in ms of the process's clock: some came, or all that were held back went out. */
  get progressMs(): number {
    return this.#progressMs
  }

  /** Since when a message is unfinished or what was sent is not read, in ms of the process's clock. */
  get stuckSinceMs(): number | undefined {
    return this.#stuckSinceMs
  }

  /** Reads nothing until the returned function is called. The side that requests must not wait for the other with it. */
  pause(): () => void {
    this.#pauses++
    this.#pauseIfWaiting()
    let isPaused = true

    return () => {
      this.#pauses -= Number(isPaused)
      isPaused = false
      this.#onDrain()
    }
  }

  /** @throws MessageTooLargeError for a message that the protocol does not allow, which is not sent */
  send(message: M): void {
    writeFrame(this.#writer, message, this.#init.codec, this.#init.maxMessageBytes)
    this.#flushSoon()
  }

  /** Sends a frame that was made before, and may be sent to others, too. */
  sendFrame(frame: Uint8Array): void {
    if (frame.length > LARGEST_COPIED_BYTES) {
      this.flush()
      this.#write(frame)
    } else {
      this.#writer.bytes(frame)
      this.#flushSoon()
    }
  }

  /** Sends at once what was to go out at the end of the microtask. */
  flush(): void {
    if (this.#writer.length > 0) {
      this.#write(this.#writer.take())
    }
  }

  /** Counts a reply as in flight until the promise settles, and with it so many bytes as are in memory for it. */
  trackReply(reply: Promise<void>, bytes = 0): void {
    this.#repliesInFlight++
    this.#bytesInFlight += bytes
    this.#pauseIfWaiting()

    if (bytes > 0) {
      this.#init.onBuffered?.()
    }

    const onSettled = (): void => {
      this.#repliesInFlight--
      this.#bytesInFlight -= bytes
      this.#onDrain()
    }
    reply.then(onSettled, onSettled)
  }

  /** Ends the stream at once, for both sides. */
  close(error: Error): void {
    this.#end(error, false)
  }

  #end(error: Error, isByPeer: boolean): void {
    if (this.#isOpen) {
      // First, as libp2p tells at once that the stream is closed, whoever does it.
      this.#onClose(error, isByPeer)
      this.#init.stream.abort(error)
    }
  }

  #readMessages(): void {
    try {
      for (let count = 0; this.#isOpen && !this.#isWaiting(); count++) {
        if (count === MAX_MESSAGES_PER_TURN && this.#init.isServer) {
          atEndOfTurn(this.pause())
          break
        }

        const bytes = this.#reader.next()

        if (bytes === undefined) {
          break
        }

        this.#stuckSinceMs = undefined
        this.#init.onMessage(this.#init.codec.read(bytes))
      }

      this.#checkBuffers()
    } catch (error) {
      this.#fail(toError(error))
    }
  }

  #checkBuffers(): void {
    if (this.#isOpen && (this.#reader.length > 0 || this.isBlocked)) {
      this.#stuckSinceMs ??= performance.now()
      this.#init.onBuffered?.()
    } else {
      this.#stuckSinceMs = undefined
    }
  }

  #fail(error: Error): void {
    const isViolation = this.#isOpen && error instanceof ProtocolViolationError
    this.close(error)

    if (isViolation) {
      this.#init.onViolation?.(error)
    }
  }

  #isWaiting(): boolean {
    const { isServer = false, maxRepliesInFlight = MAX_REPLIES_IN_FLIGHT } = this.#init
    const isServing =
      this.isBlocked ||
      this.#bytesInFlight >= MAX_BYTES_IN_FLIGHT ||
      this.#repliesInFlight >= maxRepliesInFlight
    return this.#pauses > 0 || (isServer && isServing)
  }

  #pauseIfWaiting(): void {
    if (this.#isWaiting() && this.#init.stream.readStatus === 'readable') {
      this.#init.stream.pause()
    }
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

  #write(bytes: Uint8Array): void {
    if (!this.#isOpen) {
      return
    }

    try {
      this.#init.stream.send(bytes)
    } catch (error) {
      this.close(toError(error))
      return
    }

    this.#pauseIfWaiting()

    if (this.isBlocked) {
      this.#checkBuffers()
    }
  }

  /** Comes from libp2p once it can take more; its own listener, being first, has sent what it held. */
  #onDrain(): void {
    queueMicrotask(() => {
      if (!this.#isOpen || this.isBlocked) {
        return
      }

      this.#readMessages()

      if (this.#isOpen && !this.#isWaiting()) {
        this.#resume()
      }

      this.#init.onDrain?.()
    })
  }

  /** Resuming sends something, which fails where the connection has just ended. */
  #resume(): void {
    try {
      if (this.#init.stream.readStatus === 'paused') {
        this.#init.stream.resume()
      }
    } catch (error) {
      this.close(toError(error))
    }
  }

  #onClose(error: Error, isByPeer: boolean): void {
    if (this.#isOpen) {
      this.#isOpen = false
      this.#init.onClose(error, isByPeer)
    }
  }
}
