import {
  type ConnectionEncrypter,
  type MessageStream,
  type SecureConnectionOptions,
  type SecuredConnection,
  serviceCapabilities
} from '@libp2p/interface'
import { withCheapReads } from './noise-messages.ts'
import { securedPeers } from './secured-peers.ts'
import { withSend } from './with-send.ts'

/**
 * The same encryption with fewer writes. Noise hands each encrypted message to the transport as a
 * list of a length and a ciphertext, and the TCP transport makes a system call and a packet of each
 * item: half of them for two bytes. Here an item goes out whole. The bytes are the same. Reading is
 * cheaper, too: see {@link withCheapReads}.
 *
 * `connectionEncrypters: [unfragmentedWrites(noise())]`
 */
export function unfragmentedWrites<C>(
  encrypter: (components: C) => ConnectionEncrypter
): (components: C) => ConnectionEncrypter {
  return (components) => {
    const inner = encrypter(components)
    const capabilities: unknown = Reflect.get(inner, serviceCapabilities)

    return {
      protocol: inner.protocol,
      secureInbound: async (connection: MessageStream, options?: SecureConnectionOptions) =>
        known(withCheapReads(await inner.secureInbound(whole(connection), options))),
      secureOutbound: async (connection: MessageStream, options?: SecureConnectionOptions) =>
        known(withCheapReads(await inner.secureOutbound(whole(connection), options))),
      ...{ [serviceCapabilities]: capabilities }
    }
  }
}

/** Remembers who is at the other end. */
function known(secured: SecuredConnection): SecuredConnection {
  securedPeers.set(secured.connection, secured.remotePeer)
  return secured
}

function whole(connection: MessageStream): MessageStream {
  return withSend(connection, { send: (data) => connection.send(data.subarray()) })
}
