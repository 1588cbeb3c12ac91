import type {
  ConnectionEncrypter,
  ConnectionProtector,
  MessageStream,
  Stream
} from '@libp2p/interface'
import { overriding } from '../door/overriding.ts'

/**
 * Answers to one peer's offers of protocols (multistream-select) on one stream or connection. Peers
 * offer what they speak, one after the other, until something is accepted.
 */
export const MAX_NEGOTIATION_ANSWERS = 64

const LINE_END = 0x0a
const MORE = 0x80
const LENGTH_BITS = 7

type Send = MessageStream['send']
type Bytes = Parameters<Send>[0]

/** Limits the offers on a stream that a peer has opened. */
export function limitStreamNegotiation(stream: Stream): void {
  limitAnswers(stream, () => stream.protocol !== '')
}

/** Limits the offers on a connection that a peer has begun, until something else than an answer is sent. */
export function limitNegotiation<C extends Pick<MessageStream, 'send'>>(connection: C): C {
  limitAnswers(connection, (data) => !isLine(data.subarray()))
  return connection
}

/** The same encrypter, on whose connections the offers of muxers are limited. */
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

/** The same protector, on whose connections the offers of encrypters are limited. */
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
 * libp2p answers offers as long as there are some, in one turn of the event loop. One byte is enough for
 * an offer, and a peer that goes on with them has none of its streams guarded yet: this is before them all.
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

/** Whether these bytes are one line as multistream-select writes it: its length as a varint, and a line feed at its end. */
function isLine(bytes: Uint8Array): boolean {
  const [low = 0, high = 0] = bytes
  const isShort = low < MORE
  const length = isShort ? low : low - MORE + (high << LENGTH_BITS)
  return bytes.length === length + (isShort ? 1 : 2) && bytes.at(-1) === LINE_END
}
