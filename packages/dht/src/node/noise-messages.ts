import { type MessageStream, StreamMessageEvent } from '@libp2p/interface'
import { atEndOfTurn } from '../timing/end-of-turn.ts'

/**
 * Bytes of the length before each message, big end first (Noise protocol framework, §13
 * "Application responsibilities").
 */
const LENGTH_BYTES = 2

const NOTHING = new Uint8Array(0)

/** Messages that are given out at once: each is decrypted and read, however small it is. */
export const MAX_MESSAGES_AT_ONCE = 64

interface Chunk {
  subarray(): Uint8Array
}

/** The part of a noise connection that cuts input into messages. */
interface Decoder {
  readonly buffer: Chunk
  decode(chunk: Chunk): Iterable<Uint8Array>
}

/** Called when more messages are there than may be given out at once, and when yet more come. */
type OnMore = () => void

/** Cuts input into noise's encrypted messages. Holds at most one unfinished message and what came with it. */
export class NoiseMessages {
  readonly #onMore: OnMore
  #rest: Uint8Array
  #isMore = false

  constructor(begun: Uint8Array = NOTHING, onMore: OnMore = () => {}) {
    this.#rest = begun
    this.#onMore = onMore
  }

  /** Takes bytes as they come. Returns messages that are complete, without their lengths: all of them, or so many. */
  decode(chunk: Chunk): Uint8Array[] {
    const bytes = this.#withRest(chunk.subarray())

    if (this.#isMore) {
      this.#rest = bytes
      this.#onMore()
      return []
    }

    const { messages, position, isMore } = cut(bytes)
    this.#rest = position === bytes.length ? NOTHING : bytes.slice(position)

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

  /** Lets {@link decode} give out more. */
  release(): void {
    this.#isMore = false
  }

  #withRest(chunk: Uint8Array): Uint8Array {
    if (this.#rest.length === 0) {
      return chunk
    }

    const bytes = new Uint8Array(this.#rest.length + chunk.length)
    bytes.set(this.#rest)
    bytes.set(chunk, this.#rest.length)
    return bytes
  }
}

/** Cuts so many messages off some bytes; says where the next one begins, and whether it is complete. */
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

/** The peer's turns, in which a flood of messages is taken in. */
export type TakeTurn = (task: () => void) => void

/**
 * Replaces the decoder of a noise connection by {@link NoiseMessages}. Noise's own decoder looks for
 * the length of another message behind each one, and takes an error for the end. Making and catching
 * that error costs more than decryption. A flood of small messages is taken in piece by piece, and
 * meanwhile nothing else is read from the connection. Returns false for a connection that works otherwise, which
 * is left as it is.
 */
export function replaceDecoder(
  { connection: secured }: { readonly connection: MessageStream },
  raw: MessageStream,
  turn: TakeTurn = atEndOfTurn
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

    if (!decoder.hasMore && raw.status === 'open' && isPaused(raw) && !isPaused(secured)) {
      raw.resume()
    }
  }
  const decoder = new NoiseMessages(known.buffer.subarray(), () => {
    if (raw.status === 'open' && !isPaused(raw)) {
      raw.pause()
    }

    if (!isTurnDue) {
      isTurnDue = true
      turn(goOn)
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
