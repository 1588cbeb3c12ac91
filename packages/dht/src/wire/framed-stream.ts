import type { Stream } from '@libp2p/interface'
import { toError } from '../errors.ts'
import { DEFAULT_NODE_LIMITS } from '../node-limits.ts'
import { atEndOfTurn } from '../timing/end-of-turn.ts'
import { FrameReader } from './frames.ts'
import {
  MAX_BYTES_IN_FLIGHT,
  MAX_DEFERRED_BYTES,
  MAX_MESSAGES_PER_TURN,
  MAX_QUEUED_REPLY_BYTES,
  MAX_REPLIES_IN_FLIGHT,
  MIN_QUEUED_BULK_BYTES,
  TARGET_MESSAGE_BYTES
} from './limits.ts'
import { OutboundFrames } from './outbound-frames.ts'
import { ProgressClock } from './progress-clock.ts'
import { ProtocolViolationError } from './protocol-violation-error.ts'
import type { MessageCodec } from './schema.ts'
import { unreadBytes } from './unread-bytes.ts'

export interface FramedStreamInit<M> {
  readonly stream: Stream
  readonly codec: MessageCodec<M>

  /** Receives a message. Throwing ends the stream. */
  readonly onMessage: (message: M) => void

  /** Called when the stream has ended: by the other side or with its connection, or by this side. */
  readonly onClose: (error: Error, isByPeer: boolean) => void

  /** Called when the other side has violated the protocol. The stream has ended. */
  readonly onViolation?: (error: ProtocolViolationError) => void

  /** Called when data is buffered that cannot be passed on yet. */
  readonly onBuffered?: () => void

  /** @default MAX_MESSAGE_BYTES */
  readonly maxMessageBytes?: number | undefined

  /** @default MAX_REPLIES_IN_FLIGHT */
  readonly maxRepliesInFlight?: number

  /**
   * Bytes that libp2p may buffer while reading pauses.
   *
   * @default DEFAULTS.limits.maxBufferedBytesPerPeer
   */
  readonly maxUnreadBytes?: number

  /** Called when the stream was blocked and more can be sent now. */
  readonly onDrain?: () => void

  /** Called with the number of bytes that are sent. */
  readonly onSent?: ((bytes: number) => void) | undefined

  /**
   * Whether reading pauses while the other side does not read, or while too many replies are in flight. For the
   * replying side: it bounds unread replies and requests for more of them. The requesting side must keep reading,
   * or both would wait for each other.
   */
  readonly isServer?: boolean

  /** Whether messages may pass bulk ones. Otherwise they arrive in the order in which they were sent. */
  readonly mayPass?: boolean
}

/**
 * Messages over one libp2p stream. All frames of one microtask are sent in a single write: many small messages cost
 * little more than one.
 */
export class FramedStream<M> {
  readonly #init: FramedStreamInit<M>
  readonly #reader: FrameReader
  readonly #outbound: OutboundFrames<M>
  readonly #progress = new ProgressClock(performance.now())
  #isOpen = true
  #repliesInFlight = 0
  #bytesInFlight = 0
  #pauses = 0
  #isStuck = false

  /** Whether the reader may have deferred requests. */
  #hasDeferred = false

  constructor(init: FramedStreamInit<M>) {
    this.#init = init
    this.#reader = new FrameReader({
      maxMessageBytes: init.maxMessageBytes,
      onAck: (bytes) => this.#onAck(bytes)
    })
    this.#outbound = new OutboundFrames({
      ...{ codec: init.codec, maxMessageBytes: init.maxMessageBytes },
      mayPass: init.mayPass === true,
      isBlocked: () => this.isBlocked,
      write: (bytes) => this.#write(bytes),
      onBulk: () => this.#onBulk()
    })
    const { stream } = init
    // A fast sender may have a whole window in flight, all of which arrives after a pause.
    stream.maxReadBufferLength = init.maxUnreadBytes ?? DEFAULT_NODE_LIMITS.maxBufferedBytesPerPeer
    stream.addEventListener('message', ({ data }) => {
      this.#progress.move(data.byteLength, performance.now())
      this.#reader.push(data)
      this.#readMessages()
    })
    stream.addEventListener('drain', () => {
      this.#progress.reset(performance.now())
      this.#onDrain()
    })
    stream.addEventListener('remoteCloseWrite', () => {
      this.#end(new Error('the peer has closed the stream'), true)
    })
    stream.addEventListener('close', ({ error }) => {
      this.#onClose(error ?? new Error('the stream was closed'), true)
    })

    // The stream may have ended before a listener was added, because an access check can take a while.
    if (stream.status !== 'open' || stream.remoteWriteStatus !== 'writable') {
      queueMicrotask(() => this.#end(new Error('the peer has closed the stream'), true))
    }
  }

  /** Whether the other side reads too slowly to send more now. */
  get isBlocked(): boolean {
    return this.#init.stream.writableNeedsDrain
  }

  /** Whether bulk messages already wait, so that further ones would be useless. */
  get isBulkBlocked(): boolean {
    return this.#outbound.queuedBytes > 0 || this.isBlocked
  }

  /**
   * Whether another bulk message may be queued: less than the window is left of earlier ones, or little if it is large.
   * So its first part follows their last one at once, and not only after an ack.
   */
  get hasRoomForBulk(): boolean {
    const { queuedBytes, windowBytes } = this.#outbound
    return queuedBytes < Math.min(windowBytes, TARGET_MESSAGE_BYTES) && !this.isBlocked
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Whether requests are being processed, or replies are due. */
  get isWorking(): boolean {
    return this.#pauses > 0 || this.#repliesInFlight > 0
  }

  /** Bytes received and not yet passed on or still being processed, and bytes that could not be sent. */
  get bufferedBytes(): number {
    const { stream } = this.#init
    const waiting = this.#reader.length + this.#bytesInFlight + this.#outbound.queuedBytes
    return waiting + unreadBytes(stream) + stream.writeBufferLength
  }

  /** Time of the last progress, in ms of the process's clock. */
  get progressMs(): number {
    return this.#progress.sinceMs
  }

  /** Time since which a message is incomplete, or sent data is unread, without progress. */
  get stuckSinceMs(): number | undefined {
    return this.#isStuck ? this.#progress.sinceMs : undefined
  }

  /** Pauses reading until the returned function is called. Must not make the requesting side wait for the other. */
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

  /**
   * Sends a message. Bulk and large messages are sent within the congestion window.
   *
   * @throws MessageTooLargeError for a message above the protocol's limit, which is not sent
   */
  send(message: M, isBulk = false): void {
    this.#outbound.send(message, isBulk)
  }

  /** Sends an encoded frame, which may be sent to several peers. */
  sendFrame(frame: Uint8Array): void {
    this.#outbound.sendFrame(frame)
  }

  /** Sends at once the frames that wait for the end of the microtask. */
  flush(): void {
    this.#outbound.flush()
  }

  /** Counts a reply, and its bytes in memory, as in flight until the promise settles. */
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

  /** Counts bytes that are held for the peer. A negative number counts bytes that no longer are. */
  countHeldBytes(bytes: number): void {
    this.#bytesInFlight += bytes

    if (bytes > 0) {
      this.#init.onBuffered?.()
    }
  }

  /** Ends the stream at once, for both sides. */
  close(error: Error): void {
    this.#end(error, false)
  }

  #end(error: Error, isByPeer: boolean): void {
    if (this.#isOpen) {
      // First, because libp2p reports the close synchronously, even this side's.
      this.#onClose(error, isByPeer)
      this.#init.stream.abort(error)
    }
  }

  #readMessages(): void {
    try {
      let count = 0

      for (; this.#isOpen && !this.#isWaiting(); count++) {
        if (count === MAX_MESSAGES_PER_TURN && this.#init.isServer) {
          atEndOfTurn(this.pause())
          break
        }

        const deferred = this.#deferred
        const bytes = this.#reader.next(deferred)
        this.#hasDeferred = deferred !== 'none'

        if (bytes === undefined) {
          break
        }

        this.#init.onMessage(this.#init.codec.read(bytes))
      }

      if (count > 0) {
        this.#progress.reset(performance.now())
      }

      this.#acknowledge()
      this.#checkBuffers()
    } catch (error) {
      this.#fail(toError(error))
    }
  }

  #checkBuffers(): void {
    const isWaiting = this.#reader.length > 0 || this.isBlocked || this.#outbound.queuedBytes > 0
    const isStuck = this.#isOpen && isWaiting

    if (isStuck) {
      if (!this.#isStuck) {
        this.#progress.reset(performance.now())
      }

      this.#init.onBuffered?.()
    }

    this.#isStuck = isStuck
  }

  #onBulk(): void {
    this.#checkBuffers()

    if (this.#hasDeferred && this.#deferred === 'none') {
      this.#hasDeferred = false
      this.#onDrain()
    }
  }

  /** Kinds of requests that a server defers while its replies wait. It keeps reading the other side's acks. */
  get #deferred(): 'none' | 'bulk' | 'all' {
    const { queuedBytes, windowBytes } = this.#outbound

    if (this.#init.isServer !== true || queuedBytes <= MIN_QUEUED_BULK_BYTES) {
      return 'none'
    }

    if (queuedBytes > MAX_QUEUED_REPLY_BYTES) {
      return 'all'
    }

    return queuedBytes > windowBytes ? 'bulk' : 'none'
  }

  /**
   * Acknowledges received bulk bytes, unless so many wait here that the other side must wait, too.
   */
  #acknowledge(): void {
    const isFull = this.#reader.length > MAX_BYTES_IN_FLIGHT && this.#deferred !== 'none'
    const bytes = this.#isOpen && !isFull ? this.#reader.takeUnacked() : 0

    if (bytes > 0) {
      this.#outbound.acknowledge(bytes)
    }
  }

  #onAck(bytes: number): void {
    const nowMs = performance.now()

    if (!this.#outbound.receiveAck(bytes, nowMs)) {
      throw new ProtocolViolationError(`an ack came for ${bytes} bytes, more than were sent`)
    }

    this.#progress.move(bytes, nowMs)
    this.#onDrain()
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
      this.#reader.length > MAX_DEFERRED_BYTES ||
      this.#bytesInFlight >= MAX_BYTES_IN_FLIGHT ||
      this.#repliesInFlight >= maxRepliesInFlight
    return this.#pauses > 0 || (isServer && isServing)
  }

  #pauseIfWaiting(): void {
    if (this.#isWaiting() && this.#init.stream.readStatus === 'readable') {
      this.#init.stream.pause()
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

    this.#init.onSent?.(bytes.length)
    this.#pauseIfWaiting()

    if (this.isBlocked) {
      this.#checkBuffers()
    }
  }

  /**
   * Called by libp2p once it accepts more. libp2p's own listener comes first and has sent the data that it held.
   */
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

  /** Resumes reading. This sends a frame, which fails if the connection has just ended. */
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
