import { type MessageStream, StreamMessageEvent } from '@libp2p/interface'
import { atEndOfTurn } from '../timing/end-of-turn.ts'
import { ByteQueue } from '../wire/byte-queue.ts'
import type { Flow } from './flow.ts'

/**
 * Bytes of the length before each message, big end first (Noise protocol framework, §13 "Application
 * responsibilities").
 */
const LENGTH_BYTES = 2

const NOTHING = new Uint8Array(0)

/** Messages returned at once: each is decrypted and read, however small it is. */
export const MAX_MESSAGES_AT_ONCE = 64

interface Chunk {
  subarray(): Uint8Array
}

/** The part of a noise connection that splits input into messages. */
interface Decoder {
  readonly buffer: Chunk
  decode(chunk: Chunk): Iterable<Uint8Array>
}

/** Called when more complete messages exist than may be returned at once, and when further ones arrive. */
type OnMore = () => void

/**
 * Splits input into noise's encrypted messages. Holds at most one incomplete message and the data that came with
 * it.
 */
export class NoiseMessages {
  readonly #onMore: OnMore
  readonly #bytes = new ByteQueue()
  #isMore = false

  constructor(begun: Uint8Array = NOTHING, onMore: OnMore = () => {}) {
    this.#bytes.push(begun)
    this.#onMore = onMore
  }

  /** Adds bytes. Returns complete messages without their lengths, at most {@link MAX_MESSAGES_AT_ONCE}. */
  decode(chunk: Chunk): Uint8Array[] {
    this.#bytes.push(chunk.subarray())
    const messages = this.#isMore ? [] : this.#takeMessages()
    this.#bytes.settle()

    if (this.#isMore) {
      this.#onMore()
    }

    return messages
  }

  /** Whether complete messages wait. */
  get hasMore(): boolean {
    return this.#isMore
  }

  /** Allows {@link decode} to return more. */
  release(): void {
    this.#isMore = false
  }

  #takeMessages(): Uint8Array[] {
    const messages: Uint8Array[] = []

    for (let size = this.#nextSize(); size !== undefined; size = this.#nextSize()) {
      if (messages.length === MAX_MESSAGES_AT_ONCE) {
        this.#isMore = true
        break
      }

      const message = this.#bytes.take(LENGTH_BYTES + size).subarray(LENGTH_BYTES)
      size > 0 && messages.push(message)
    }

    return messages
  }

  /** The length of the next message if that is complete. */
  #nextSize(): number | undefined {
    const [high, low] = [this.#bytes.at(0), this.#bytes.at(1)]

    if (high === undefined || low === undefined) {
      return undefined
    }

    const size = (high << 8) | low
    return this.#bytes.length < LENGTH_BYTES + size ? undefined : size
  }
}

/** The connection that carries the encrypted data. */
export interface RawConnection {
  readonly raw: MessageStream
  readonly flow: Flow

  /** The peer's turns, in which a flood of messages is processed. */
  readonly turn?: ((task: () => void) => void) | undefined
}

/**
 * Replaces the decoder of a noise connection by {@link NoiseMessages}. Noise's own decoder looks for the length of
 * another message behind each one, and takes an error for the end. Creating and catching that error costs more than
 * decryption. A flood of small messages is processed piece by piece, and reading from the connection pauses
 * meanwhile. Returns false for a connection of another structure, which is left unchanged.
 */
export function replaceDecoder(
  { connection: secured }: { readonly connection: MessageStream },
  { raw, flow, turn = atEndOfTurn }: RawConnection
): boolean {
  const known: unknown = Reflect.get(Object(secured), 'decoder')

  if (!isDecoder(known)) {
    return false
  }

  let isTurnDue = false
  const goOn = (): void => {
    isTurnDue = false
    decoder.release()
    raw.dispatchEvent(new StreamMessageEvent(NOTHING))

    if (!decoder.hasMore && isPaused(raw) && !isPaused(secured)) {
      flow.resume()
    }
  }
  const decoder = new NoiseMessages(known.buffer.subarray(), () => {
    flow.pause()

    if (!isTurnDue) {
      isTurnDue = true
      // The returned messages are processed first.
      queueMicrotask(() => turn(goOn))
    }
  })
  return Reflect.set(secured, 'decoder', decoder)
}

function isPaused(stream: MessageStream): boolean {
  return Reflect.get(stream, 'readStatus') === 'paused'
}

function isDecoder(decoder: unknown): decoder is Decoder {
  return (
    typeof decoder === 'object' &&
    decoder !== null &&
    'decode' in decoder &&
    typeof decoder.decode === 'function' &&
    'buffer' in decoder &&
    typeof decoder.buffer === 'object' &&
    decoder.buffer !== null &&
    'subarray' in decoder.buffer &&
    typeof decoder.buffer.subarray === 'function'
  )
}
