import {
  type ConnectionEncrypter,
  type MessageStream,
  type SecureConnectionOptions,
  serviceCapabilities
} from '@libp2p/interface'
import { withSend } from './with-send.ts'

/**
 * The same encryption with fewer writes. Noise hands each encrypted message to the transport as a
 * list of a length and a ciphertext, and the TCP transport makes a system call and a packet of each
 * item: half of them for two bytes. Here an item goes out whole. The bytes are the same.
 *
 * `connectionEncrypters: [wholeWrites(noise())]`
 */
export function wholeWrites<C>(
  encrypter: (components: C) => ConnectionEncrypter
): (components: C) => ConnectionEncrypter {
  return (components) => {
    const inner = encrypter(components)
    const capabilities: unknown = Reflect.get(inner, serviceCapabilities)

    return {
      protocol: inner.protocol,
      secureInbound: (connection: MessageStream, options?: SecureConnectionOptions) =>
        inner.secureInbound(whole(connection), options),
      secureOutbound: (connection: MessageStream, options?: SecureConnectionOptions) =>
        inner.secureOutbound(whole(connection), options),
      ...{ [serviceCapabilities]: capabilities }
    }
  }
}

function whole(connection: MessageStream): MessageStream {
  return withSend(connection, { send: (data) => connection.send(data.subarray()) })
}
