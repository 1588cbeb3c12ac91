import type { MessageStream } from '@libp2p/interface'

/**
 * Bytes of the length before each message, big end first (Noise protocol framework, §13
 * "Application responsibilities").
 */
const LENGTH_BYTES = 2

const NOTHING = new Uint8Array(0)

interface Chunk {
  subarray(): Uint8Array
}

/** The part of a noise connection that cuts input into messages. */
interface Decoder {
  readonly buffer: Chunk
  decode(chunk: Chunk): Iterable<Uint8Array>
}

/** Cuts input into noise's encrypted messages. Holds at most one unfinished message and what came with it. */
export class NoiseMessages {
  #rest: Uint8Array

  constructor(begun: Uint8Array = NOTHING) {
    this.#rest = begun
  }

  /** Takes bytes as they come. Returns the messages that are complete, without their lengths. */
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
 * Replaces the decoder of a noise connection by {@link NoiseMessages}. Noise's own decoder looks for
 * the length of another message behind each one, and takes an error for the end. Making and catching
 * that error costs more than decryption. Returns false for a connection that works otherwise, which
 * is left as it is.
 */
export function replaceDecoder({ connection }: { readonly connection: MessageStream }): boolean {
  const decoder: unknown = Reflect.get(Object(connection), 'decoder')

  if (isDecoder(decoder)) {
    return Reflect.set(connection, 'decoder', new NoiseMessages(decoder.buffer.subarray()))
  }

  return false
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
