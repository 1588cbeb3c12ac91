import type {
  ConnectionEncrypter,
  ConnectionProtector,
  MessageStream,
  Stream
} from '@libp2p/interface'
import { overriding } from '../door/overriding.ts'

/**
 * Replies to one peer's protocol offers (multistream-select) on one stream or connection. Peers offer their
 * protocols one after the other, until one is accepted.
 */
export const MAX_NEGOTIATION_ANSWERS = 64

const LINE_END = 0x0a
const MORE = 0x80
const LENGTH_BITS = 7

type Send = MessageStream['send']
type Bytes = Parameters<Send>[0]

/** Limits the offers on an inbound stream. */
export function limitStreamNegotiation(stream: Stream): void {
  limitAnswers(stream, () => stream.protocol !== '')
}

/** Limits the offers on an inbound connection, until something other than a reply is sent. */
export function limitNegotiation<C extends Pick<MessageStream, 'send'>>(connection: C): C {
  limitAnswers(connection, (data) => !isLine(data.subarray()))
  return connection
}

/** Wraps an encrypter so that the muxer offers on its connections are limited. */
export function limitedEncrypter<C>(
  encrypter: (components: C) => ConnectionEncrypter
): (components: C) => ConnectionEncrypter {
  return (components) => {
    const inner = encrypter(components)
    return overriding<ConnectionEncrypter>(inner, {
      secureInbound: async (...args) => {
        const secured = await inner.secureInbound(...args)
        limitNegotiation(secured.connection)
        return secured
      }
    })
  }
}

/** Wraps a protector so that the encrypter offers on its connections are limited. */
export function limitedProtector<C>(
  protector: (components: C) => ConnectionProtector
): (components: C) => ConnectionProtector {
  return (components) => {
    const inner = protector(components)
    return overriding<ConnectionProtector>(inner, {
      protect: async (...args) => limitNegotiation(await inner.protect(...args))
    })
  }
}

/**
 * Limits the replies. libp2p replies to as many offers as arrive, in one turn of the event loop. An offer may be a
 * single byte, and a peer that keeps sending offers has no guarded stream yet, so this limit comes first.
 */
function limitAnswers(
  stream: { send: Send },
  isOver: (data: Bytes) => boolean,
  { send } = stream
): void {
  let answers = 0
  stream.send = (data) => {
    if (isOver(data)) {
      stream.send = send
    } else if (++answers > MAX_NEGOTIATION_ANSWERS) {
      throw new Error(`a peer has offered more than ${MAX_NEGOTIATION_ANSWERS} protocols`)
    }

    return send.call(stream, data)
  }
}

/** Whether the bytes are one line of multistream-select: its length as a varint, and a line feed at its end. */
function isLine(bytes: Uint8Array): boolean {
  const [low = 0, high = 0] = bytes
  const isShort = low < MORE
  const length = isShort ? low : low - MORE + (high << LENGTH_BITS)
  return bytes.length === length + (isShort ? 1 : 2) && bytes.at(-1) === LINE_END
}
