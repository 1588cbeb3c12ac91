import {
  type Stream,
  type StreamMuxer,
  type StreamMuxerFactory,
  serviceCapabilities
} from '@libp2p/interface'
import { MalformedBytesError } from '../errors.ts'

/** The first line of multistream-select. */
const MULTISTREAM = '/multistream/1.0.0'

/** Offers that are still to be sent, by stream. */
const offers = new WeakMap<Stream, Uint8Array>()

/** The option of `newStream` that asks for it. */
export const LAZY: unique symbol = Symbol('lazy negotiation')

/**
 * Wraps a muxer so that streams opened with the option {@link LAZY} are ready at once: the offer of the protocol goes
 * out with the stream's first data, and its confirmation is read with the peer's first data. libp2p waits for the
 * confirmation before it sends, which takes a round trip and half of the messages of a short call. Peers do not see
 * the difference, and go-libp2p offers protocols in the same way.
 *
 * The opener of such a stream sends {@link takeOffer} first, and reads through {@link OfferReply}.
 */
export function lazyNegotiation<C>(
  muxer: (components: C) => StreamMuxerFactory
): (components: C) => StreamMuxerFactory {
  return (components) => {
    const inner = muxer(components)
    return {
      protocol: inner.protocol,
      createStreamMuxer: (connection) => lazy(inner.createStreamMuxer(connection)),
      ...{ [serviceCapabilities]: Reflect.get(inner, serviceCapabilities) as unknown }
    }
  }
}

function lazy(muxer: StreamMuxer): StreamMuxer {
  const createStream = muxer.createStream.bind(muxer)
  muxer.createStream = async (options) => {
    const stream = await createStream(options)
    const protocol = options?.protocol

    // libp2p negotiates a stream only if it has no protocol yet.
    if (protocol !== undefined && stream.protocol === '' && Reflect.get(options ?? {}, LAZY)) {
      stream.protocol = protocol
      offers.set(stream, offerOf(protocol))
    }

    return stream
  }
  return muxer
}

/** Returns the bytes that must come before the first data of a stream; empty if libp2p has negotiated it. */
export function takeOffer(stream: Stream): Uint8Array {
  const offer = offers.get(stream) ?? NOTHING
  offers.delete(stream)
  return offer
}

/**
 * Strips the confirmation of an offer, which repeats its lines, from the start of a peer's bytes.
 */
export class OfferReply {
  #missing: Uint8Array

  constructor(offer: Uint8Array) {
    this.#missing = offer
  }

  /**
   * Returns the bytes of a chunk that follow the confirmation.
   *
   * @throws MalformedBytesError when the peer does not confirm the protocol
   */
  strip(chunk: Uint8Array): Uint8Array {
    const expected = this.#missing.subarray(0, chunk.length)

    if (expected.some((byte, i) => byte !== chunk[i])) {
      throw new MalformedBytesError('the peer does not speak the protocol')
    }

    this.#missing = this.#missing.subarray(expected.length)
    return chunk.subarray(expected.length)
  }
}

const NOTHING = new Uint8Array(0)

/** Each line has its length before it and a line feed at its end. */
function offerOf(protocol: string): Uint8Array {
  const lines = [MULTISTREAM, protocol].map((line) => new TextEncoder().encode(`${line}\n`))
  return Uint8Array.from(lines.flatMap((line) => [line.length, ...line]))
}
