import type { MessageStream } from '@libp2p/interface'

/** Reads the length at the front of what has come; throws a RangeError when it is not all there. */
type LengthDecoder = ((bytes: { readonly length: number }) => number) & { readonly bytes?: number }

/**
 * Has noise find out cheaply that it has read all there is. Behind each message it looks for the
 * length of another one, and takes a RangeError for the end: an error with its stack, made for every
 * message read, costs more than to decrypt it. Here it is always the same error. A noise that works
 * otherwise is left as it is.
 */
export function withCheapEnd<S extends { readonly connection: MessageStream }>(secured: S): S {
  const decoder: unknown = Reflect.get(secured.connection, 'decoder')

  if (isDecoder(decoder)) {
    decoder.lengthDecoder = cheaply(decoder.lengthDecoder)
  }

  return secured
}

function isDecoder(decoder: unknown): decoder is { lengthDecoder: LengthDecoder } {
  return (
    typeof decoder === 'object' &&
    decoder !== null &&
    'lengthDecoder' in decoder &&
    typeof decoder.lengthDecoder === 'function'
  )
}

function cheaply(decode: LengthDecoder): LengthDecoder {
  const { bytes } = decode

  if (bytes === undefined) {
    return decode
  }

  return (data) => {
    if (data.length < bytes) {
      throw NOT_ALL_THERE
    }

    return decode(data)
  }
}

const NOT_ALL_THERE = new RangeError('the length of the next message is not all there yet')
