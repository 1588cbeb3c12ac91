import type { Stream } from '@libp2p/interface'
import { toError } from '../errors.ts'
import { ByteWriter } from './bytes.ts'
import { FrameReader, type Language, writeFrame } from './frames.ts'
import { MAX_OWED_ANSWERS, MAX_UNREAD_BYTES, TARGET_MESSAGE_BYTES } from './limits.ts'
import type { Message } from './messages.ts'

export interface FramedStreamInit<M> {
  readonly stream: Stream
  readonly language: Language<M>

  /** Takes in a message. What it throws ends the stream. */
  readonly onMessage: (message: M) => void

  /** The stream has ended: by the other side, by a fault, or by us. */
  readonly onClose: (error: Error) => void

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
export class FramedStream<M = Message> {
  readonly #init: FramedStreamInit<M>
  readonly #reader = new FrameReader()
  readonly #writer = new ByteWriter()
  #isFlushScheduled = false
  #isOpen = true
  #owedAnswers = 0

  constructor(init: FramedStreamInit<M>) {
    this.#init = init
    const { stream } = init
    // yamux lets a fast sender have up to 16 MiB under way, all of which may arrive after a pause.
    stream.maxReadBufferLength = MAX_UNREAD_BYTES
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
  }

  /** Whether the other side is too slow for more to be sent now. */
  get isBlocked(): boolean {
    return this.#init.stream.writableNeedsDrain
  }

  get isOpen(): boolean {
    return this.#isOpen
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

  /** Counts an answer as owed until the promise settles. */
  owe(answer: Promise<void>): void {
    this.#owedAnswers++
    this.#pauseIfWaiting()

    const onSettled = (): void => {
      this.#owedAnswers--
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
      while (this.#isOpen && !this.#isWaitingForReader()) {
        const bytes = this.#reader.next()

        if (bytes === undefined) {
          return
        }

        this.#init.onMessage(this.#init.language.read(bytes))
      }
    } catch (error) {
      this.close(toError(error))
    }
  }

  #isWaitingForReader(): boolean {
    const isWaiting = this.isBlocked || this.#owedAnswers >= MAX_OWED_ANSWERS
    return this.#init.isReadingWithWriting === true && isWaiting
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
