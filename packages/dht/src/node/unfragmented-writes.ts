import {
  type ComponentLogger,
  type ConnectionEncrypter,
  type MessageStream,
  type SecureConnectionOptions,
  type SecuredConnection,
  serviceCapabilities
} from '@libp2p/interface'
import { doorOf } from '../door/door.ts'
import { overriding } from '../door/overriding.ts'
import { fallbackWarning } from '../warn.ts'
import { Flow } from './flow.ts'
import { isSender } from './is-sender.ts'
import { replaceDecoder } from './noise-messages.ts'
import { securedPeers } from './secured-peers.ts'

const NOISE = '/noise'

/**
 * Wraps an encrypter so that it makes fewer writes. Noise passes each encrypted message to the transport as a list
 * of a length and a ciphertext, and the TCP transport makes a system call and a packet of each item: half of them
 * for two bytes. Here a list is written as one item. The bytes are the same. Reading is cheaper, too: see {@link
 * replaceDecoder}. An encrypter of another structure is used unchanged, with a warning.
 *
 * `connectionEncrypters: [unfragmentedWrites(noise())]`
 */
export function unfragmentedWrites<C>(
  encrypter: (components: C) => ConnectionEncrypter
): (components: C) => ConnectionEncrypter {
  return (components) => {
    const inner = encrypter(components)
    const { logger, events } = Object(components) as {
      readonly logger?: ComponentLogger
      readonly events?: object
    }
    const turns = events && doorOf({ events }).turns
    const onFallback = fallbackWarning('libp2p-noise', 'connections cost more', logger)
    const whole = (connection: MessageStream, flow: Flow): MessageStream => {
      if (isSender(connection)) {
        return overriding<MessageStream>(connection, {
          send: (data) => connection.send(contiguous(data)),
          pause: () => flow.pause(),
          resume: () => flow.resume()
        })
      }

      onFallback()
      return connection
    }
    const read = (
      secured: SecuredConnection,
      raw: MessageStream,
      flow: Flow
    ): SecuredConnection => {
      const peer = secured.remotePeer.toString()
      securedPeers.set(secured.connection, secured.remotePeer)

      const turn = turns && ((task: () => void) => turns.add(peer, task))

      if (!replaceDecoder(secured, { raw, flow, turn }) && inner.protocol === NOISE) {
        onFallback()
      }

      return secured
    }

    return {
      protocol: inner.protocol,
      secureInbound: async (connection: MessageStream, options?: SecureConnectionOptions) => {
        const flow = new Flow(connection)
        return read(await inner.secureInbound(whole(connection, flow), options), connection, flow)
      },
      secureOutbound: async (connection: MessageStream, options?: SecureConnectionOptions) => {
        const flow = new Flow(connection)
        return read(await inner.secureOutbound(whole(connection, flow), options), connection, flow)
      },
      ...{ [serviceCapabilities]: Reflect.get(inner, serviceCapabilities) as unknown }
    }
  }
}

type Bytes = Parameters<MessageStream['send']>[0]

function contiguous(data: Bytes): Bytes {
  return typeof data.subarray === 'function' ? data.subarray() : data
}
