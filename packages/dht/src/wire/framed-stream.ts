import type { Stream } from '@libp2p/interface'
import { toError } from '../errors.ts'
import { DEFAULT_NODE_LIMITS } from '../node-limits.ts'
import { atEndOfTurn } from '../timing/end-of-turn.ts'
import { ByteWriter } from './bytes.ts'
import { FrameReader, type Language, writeFrame } from './frames.ts'
import {
  MAX_MESSAGES_PER_TURN,
  MAX_OWED_ANSWERS,
  MAX_OWED_BYTES,
  TARGET_MESSAGE_BYTES
} from './limits.ts'
import { ExchangeProtocolError } from './protocol-error.ts'

export interface FramedStreamInit<M> {
  readonly stream: Stream
  readonly language: Language<M>

  /** Takes in a message. What it throws ends the stream. */
  readonly onMessage: (message: M) => void

  /** The stream has ended: by the other side, by a fault, or by us. */
  readonly onClose: (error: Error) => void

  /** The other side has broken the protocol. The stream ends. */
  readonly onViolation?: (error: ExchangeProtocolError) => void

  /** Something has come that can't be given on yet. */
  readonly onBacklog?: () => void

  /** @default MAX_MESSAGE_BYTES */
  readonly maxMessageBytes?: number

  /** @default MAX_OWED_ANSWERS */
  readonly maxOwedAnswers?: number

  /**
   * What libp2p may hold while nothing is read.
   *
   * @default DEFAULTS.limits.maxBufferedBytesPerPeer
   */
  readonly maxUnreadBytes?: number

  /** What was held back because {@link FramedStream.isBlocked} can be sent now. */
  readonly onDrain?: () => void

  /**
   * Takes in nothing while what it sends is not read on the other side, or while it owes too many
   * answers. For the side that
   * answers: so unread answers, or the questions for more of them, don't pile up. The side that
   * asks must go on reading, or both would wait for each other.
   */
  readonly isReadingWithWriting?: boolean
}

/** A frame made before is copied behind others up to this size; a larger one goes by itself. */
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
  #owedAnswers = 0
  #owedBytes = 0
  #holds = 0
  #stuckSinceMs: number | undefined

  constructor(init: FramedStreamInit<M>) {
    this.#init = init
    this.#reader = new FrameReader(init.maxMessageBytes)
    const { stream } = init
    // A fast sender may have a whole window under way, all of which arrives after a pause.
    stream.maxReadBufferLength = init.maxUnreadBytes ?? DEFAULT_NODE_LIMITS.maxBufferedBytesPerPeer
    stream.addEventListener('message', ({ data }) => {
      this.#reader.push(data)
      this.#takeIn()
    })
    stream.addEventListener('drain', () => this.#onDrain())
    stream.addEventListener('remoteCloseWrite', () => {
      this.close(new Error('the peer has closed the stream'))
    })
    stream.addEventListener('close', ({ error }) => {
      this.#onClose(error ?? new Error('the stream was closed'))
    })

    // It may have ended before anybody listened: who may ask can take a while to find out.
    if (stream.status !== 'open' || stream.remoteWriteStatus !== 'writable') {
      queueMicrotask(() => this.close(new Error('the peer has closed the stream')))
    }
  }

  /** Whether the other side is too slow for more to be sent now. */
  get isBlocked(): boolean {
    return this.#init.stream.writableNeedsDrain
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** What has come and was not given on or is still worked on, and what was sent and could not go out. */
  get bufferedBytes(): number {
    const { readBufferLength, writeBufferLength } = this.#init.stream
    return this.#reader.length + this.#owedBytes + readBufferLength + writeBufferLength
  }

  /** Since when a message is unfinished or what was sent is not read, in ms of the process's clock. */
  get stuckSinceMs(): number | undefined {
    return this.#stuckSinceMs
  }

  /** Takes in nothing until the function that it gives is called. The side that asks must not wait for the other with it. */
  hold(): () => void {
    this.#holds++
    this.#pauseIfWaiting()
    let isHeld = true

    return () => {
      this.#holds -= Number(isHeld)
      isHeld = false
      this.#onDrain()
    }
  }

  send(message: M): void {
    writeFrame(this.#writer, message, this.#init.language)
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

  /** Counts an answer as owed until the promise settles, and with it so many bytes as are in memory for it. */
  owe(answer: Promise<void>, bytes = 0): void {
    this.#owedAnswers++
    this.#owedBytes += bytes
    this.#pauseIfWaiting()

    if (bytes > 0) {
      this.#init.onBacklog?.()
    }

    const onSettled = (): void => {
      this.#owedAnswers--
      this.#owedBytes -= bytes
      this.#onDrain()
    }
    answer.then(onSettled, onSettled)
  }

  /** Ends the stream at once, for both sides. */
  close(error: Error): void {
    if (this.#isOpen) {
      this.#init.stream.abort(error)
      this.#onClose(error)
    }
  }

  #takeIn(): void {
    try {
      for (let taken = 0; this.#isOpen && !this.#isWaitingForReader(); taken++) {
        if (taken === MAX_MESSAGES_PER_TURN && this.#init.isReadingWithWriting) {
          atEndOfTurn(this.hold())
          break
        }

        const bytes = this.#reader.next()

        if (bytes === undefined) {
          break
        }

        this.#stuckSinceMs = undefined
        this.#init.onMessage(this.#init.language.read(bytes))
      }

      this.#lookForBacklog()
    } catch (error) {
      this.#fail(toError(error))
    }
  }

  #lookForBacklog(): void {
    if (this.#isOpen && (this.#reader.length > 0 || this.isBlocked)) {
      this.#stuckSinceMs ??= performance.now()
      this.#init.onBacklog?.()
    } else {
      this.#stuckSinceMs = undefined
    }
  }

  #fail(error: Error): void {
    const isOffence = this.#isOpen && error instanceof ExchangeProtocolError
    this.close(error)

    if (isOffence) {
      this.#init.onViolation?.(error)
    }
  }

  #isWaitingForReader(): boolean {
    const isWaiting =
      this.isBlocked ||
      this.#owedBytes >= MAX_OWED_BYTES ||
      this.#owedAnswers >= (this.#init.maxOwedAnswers ?? MAX_OWED_ANSWERS)
    return this.#holds > 0 || (this.#init.isReadingWithWriting === true && isWaiting)
  }

  #pauseIfWaiting(): void {
    if (this.#isWaitingForReader() && this.#init.stream.readStatus === 'readable') {
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
      this.#lookForBacklog()
    }
  }

  /** Comes from libp2p once it can take more; its own listener, being first, has sent what it held. */
  #onDrain(): void {
    queueMicrotask(() => {
      if (!this.#isOpen || this.isBlocked) {
        return
      }

      this.#takeIn()

      if (
        this.#isOpen &&
        !this.#isWaitingForReader() &&
        this.#init.stream.readStatus === 'paused'
      ) {
        this.#init.stream.resume()
      }

      this.#init.onDrain?.()
    })
  }

  #onClose(error: Error): void {
    if (this.#isOpen) {
      this.#isOpen = false
      this.#init.onClose(error)
    }
  }
}
