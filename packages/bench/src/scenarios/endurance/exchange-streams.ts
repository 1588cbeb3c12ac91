import type { DHT } from '@waggle/dht'

const EXCHANGE = '/waggle/exchange/'

/** The open streams on which a node asks others, by names that tell one from its successor. */
export function exchangeStreams(node: DHT): Set<string> {
  const streams = node.libp2p.getConnections().flatMap((connection) =>
    connection.streams
      .filter(({ protocol, direction, status }) => {
        return protocol.startsWith(EXCHANGE) && direction === 'outbound' && status === 'open'
      })
      .map(({ id }) => `${connection.remotePeer} ${connection.id} ${id}`)
  )

  return new Set(streams)
}
