import type { Stream } from '@libp2p/interface'
import { toError } from '../errors.ts'
import { DEFAULT_NODE_LIMITS } from '../node-limits.ts'
import { atEndOfTurn } from '../timing/end-of-turn.ts'
import { FrameReader } from './frames.ts'
import {
  MAX_BYTES_IN_FLIGHT,
  MAX_LEFT_BYTES,
  MAX_MESSAGES_PER_TURN,
  MAX_QUEUED_REPLY_BYTES,
  MAX_REPLIES_IN_FLIGHT,
  MIN_QUEUED_BULK_BYTES
} from './limits.ts'
import { OutboundFrames } from './outbound-frames.ts'
import { ProgressClock } from './progress-clock.ts'
import { ProtocolViolationError } from './protocol-violation-error.ts'
import type { MessageCodec } from './schema.ts'

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

  /** Called with the number of bytes that are sent. */
  readonly onSent?: ((bytes: number) => void) | undefined

  /**
   * Reads nothing while what it sends is not read on the other side, or while too many replies are
   * in flight. For the side that replies: neither unread replies nor requests for more of them pile
   * up. The side that requests must go on reading, or both would wait for each other.
   */
  readonly isServer?: boolean

  /** Whether messages may pass bulk ones. Without it they arrive in the order in which they were sent. */
  readonly mayPass?: boolean
}

/**
 * Messages over one libp2p stream. All frames of one microtask go out in a single write: many
 * small messages cost little more than one.
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

  /** Whether requests may have been left for later. */
  #isLeft = false

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

    // It may have ended before anybody listened: finding out who may ask can take a while.
    if (stream.status !== 'open' || stream.remoteWriteStatus !== 'writable') {
      queueMicrotask(() => this.#end(new Error('the peer has closed the stream'), true))
    }
  }

  /** Whether the other side is too slow for more to be sent now. */
  get isBlocked(): boolean {
    return this.#init.stream.writableNeedsDrain
  }

  /** Whether bulk messages wait already, so that there is no use in more of them. */
  get isBulkBlocked(): boolean {
    return this.#outbound.queuedBytes > 0 || this.isBlocked
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
    const { readBufferLength, writeBufferLength } = this.#init.stream
    const waiting = this.#reader.length + this.#bytesInFlight + this.#outbound.queuedBytes
    return waiting + readBufferLength + writeBufferLength
  }

  /** When there was progress last, in ms of the process's clock. */
  get progressMs(): number {
    return this.#progress.sinceMs
  }

  /** Since when nothing moves though a message is unfinished or what was sent is not read. */
  get stuckSinceMs(): number | undefined {
    return this.#isStuck ? this.#progress.sinceMs : undefined
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

  /**
   * Sends a message; one that is bulk, or large, as the way to the peer allows.
   *
   * @throws MessageTooLargeError for a message that the protocol does not allow, which is not sent
   */
  send(message: M, isBulk = false): void {
    this.#outbound.send(message, isBulk)
  }

  /** Sends a frame that was made before, and may be sent to others, too. */
  sendFrame(frame: Uint8Array): void {
    this.#outbound.sendFrame(frame)
  }

  /** Sends at once what was to go out at the end of the microtask. */
  flush(): void {
    this.#outbound.flush()
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
      let count = 0

      for (; this.#isOpen && !this.#isWaiting(); count++) {
        if (count === MAX_MESSAGES_PER_TURN && this.#init.isServer) {
          atEndOfTurn(this.pause())
          break
        }

        const left = this.#left
        const bytes = this.#reader.next(left)
        this.#isLeft = left !== 'none'

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

    if (this.#isLeft && this.#left === 'none') {
      this.#isLeft = false
      this.#onDrain()
    }
  }

  /** Requests that a server leaves for later while its replies wait. It has to read on for the other side's acks. */
  get #left(): 'none' | 'bulk' | 'all' {
    const { queuedBytes, windowBytes } = this.#outbound

    if (this.#init.isServer !== true || queuedBytes <= MIN_QUEUED_BULK_BYTES) {
      return 'none'
    }

    if (queuedBytes > MAX_QUEUED_REPLY_BYTES) {
      return 'all'
    }

    return queuedBytes > windowBytes ? 'bulk' : 'none'
  }

  /** Says how much has come of bulk messages, unless so many wait here that the other side has to wait, too. */
  #acknowledge(): void {
    const isFull = this.#reader.length > MAX_BYTES_IN_FLIGHT && this.#left !== 'none'
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
      this.#reader.length > MAX_LEFT_BYTES ||
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
