import type { Connection } from '@libp2p/interface'

/** A protocol of all libp2p nodes. A peer that refuses it is alive, too. */
const PING = '/ipfs/ping/1.0.0'

/** Errors of a stream that the peer has caused by an answer, or this node without asking the peer. */
const NO_SIGNS_OF_DEATH = [
  'UnsupportedProtocolError',
  'StreamResetError',
  'TooManyOutboundProtocolStreamsError'
]

/**
 * Opens a ping stream. Resolves when the peer has answered, and notes the round-trip time. One that refuses the
 * protocol or the stream is alive, too.
 */
export async function ping(connection: Connection, signal: AbortSignal): Promise<void> {
  const sentAtMs = performance.now()

  try {
    const stream = await connection.newStream(PING, { signal, runOnLimitedConnection: true })
    // A stream opens with one round trip.
    connection.rtt = performance.now() - sentAtMs
    stream.abort(new Error('the peer is alive'))
  } catch (error) {
    if (!(error instanceof Error && NO_SIGNS_OF_DEATH.includes(error.name))) {
      throw error
    }
  }
}
