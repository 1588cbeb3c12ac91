import type { MessageStream } from '@libp2p/interface'

/** A message begins with its length, two bytes, big end first (Noise protocol framework, §13 "Application responsibilities"). */
const LENGTH_BYTES = 2

const NOTHING = new Uint8Array(0)

interface Chunk {
  subarray(): Uint8Array
}

/** What noise has its messages cut by. */
interface Decoder {
  readonly buffer: Chunk
  decode(chunk: Chunk): Iterable<Uint8Array>
}

/** Cuts what arrives into noise's encrypted messages. Holds no more than one that is not all there, and what came with it. */
export class NoiseMessages {
  #rest: Uint8Array

  constructor(begun: Uint8Array = NOTHING) {
    this.#rest = begun
  }

  /** Takes in bytes as they come; gives out the messages that are complete, without their lengths. */
  decode(chunk: Chunk): Uint8Array[] {
    const bytes = this.#withRest(chunk.subarray())
    const messages: Uint8Array[] = []
    let position = 0

    while (position + LENGTH_BYTES <= bytes.length) {
      const begin = position + LENGTH_BYTES
      const end = begin + lengthAt(bytes, position)

      if (end > bytes.length) {
        break
      }

      if (end > begin) {
        messages.push(bytes.subarray(begin, end))
      }

      position = end
    }

    this.#rest = position === bytes.length ? NOTHING : bytes.slice(position)
    return messages
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

/**
 * Has a connection of noise cut its messages by {@link NoiseMessages}. Its own decoder looks for the
 * length of another one behind each message, and takes an error for the end: to make and catch it
 * costs more than to decrypt. A noise that works otherwise is left as it is.
 */
export function withCheapReads<S extends { readonly connection: MessageStream }>(secured: S): S {
  const decoder: unknown = Reflect.get(secured.connection, 'decoder')

  if (isDecoder(decoder)) {
    Reflect.set(secured.connection, 'decoder', new NoiseMessages(decoder.buffer.subarray()))
  }

  return secured
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
