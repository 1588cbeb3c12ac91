import { type MessageStream, StreamMessageEvent } from '@libp2p/interface'
import { atEndOfTurn } from '../timing/end-of-turn.ts'
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
  #rest: Uint8Array
  #isMore = false

  constructor(begun: Uint8Array = NOTHING, onMore: OnMore = () => {}) {
    this.#rest = begun
    this.#onMore = onMore
  }

  /** Adds bytes. Returns complete messages without their lengths, at most {@link MAX_MESSAGES_AT_ONCE}. */
  decode(chunk: Chunk): Uint8Array[] {
    const bytes = this.#withRest(chunk.subarray())

    if (this.#isMore) {
      this.#rest = bytes
      this.#onMore()
      return []
    }

    const { messages, position, isMore } = cut(bytes)
    this.#rest = isMore ? bytes.subarray(position) : restOf(bytes, position)

    if (isMore) {
      this.#isMore = true
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

  #withRest(chunk: Uint8Array): Uint8Array {
    if (this.#rest.length === 0 || chunk.length === 0) {
      return this.#rest.length === 0 ? chunk : this.#rest
    }

    const bytes = new Uint8Array(this.#rest.length + chunk.length)
    bytes.set(this.#rest)
    bytes.set(chunk, this.#rest.length)
    return bytes
  }
}

/** Copies the rest, so that a few bytes keep no larger piece of memory alive. */
function restOf(bytes: Uint8Array, position: number): Uint8Array {
  return position === bytes.length ? NOTHING : bytes.slice(position)
}

/**
 * Splits a limited number of messages off some bytes. Returns the position of the next one, and whether it is
 * complete.
 */
function cut(bytes: Uint8Array): {
  readonly messages: Uint8Array[]
  readonly position: number
  readonly isMore: boolean
} {
  const messages: Uint8Array[] = []
  let position = 0

  while (position + LENGTH_BYTES <= bytes.length) {
    const begin = position + LENGTH_BYTES
    const end = begin + lengthAt(bytes, position)

    if (end > bytes.length) {
      break
    }

    if (messages.length === MAX_MESSAGES_AT_ONCE) {
      return { messages, position, isMore: true }
    }

    if (end > begin) {
      messages.push(bytes.subarray(begin, end))
    }

    position = end
  }

  return { messages, position, isMore: false }
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

function lengthAt(bytes: Uint8Array, position: number): number {
  return ((bytes[position] ?? 0) << 8) | (bytes[position + 1] ?? 0)
}
