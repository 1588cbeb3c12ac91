import type { Connection } from '@libp2p/interface'
import { raceSignal } from 'race-signal'

/** A protocol of all libp2p nodes. A peer that refuses it is alive, too. */
const PING = '/ipfs/ping/1.0.0'

/** Errors of a stream that the peer has caused by an answer, or this node without asking the peer. */
const NO_SIGNS_OF_DEATH = [
  'UnsupportedProtocolError',
  'StreamResetError',
  'TooManyOutboundProtocolStreamsError'
]

/** Resolves when the peer has answered, and notes the round-trip time. Rejects if it can't answer any more. */
export function ping(connection: Connection, signal: AbortSignal): Promise<void> {
  // libp2p's connection keeps its muxer to itself, and only yamux has pings.
  const muxer: unknown = Reflect.get(connection, 'muxer')
  return isPinging(muxer)
    ? raceSignal(pingByFrame(connection, muxer), signal)
    : pingByStream(connection, signal)
}

interface PingingMuxer {
  ping(): Promise<number>
}

function isPinging(muxer: unknown): muxer is PingingMuxer {
  return typeof Object(muxer).ping === 'function'
}

/** The last ping of each connection. */
const lastPings = new WeakMap<Connection, Promise<void>>()

/**
 * Sends a frame to the peer's muxer, which is far less work than a stream. Each ping waits for the one before: yamux
 * gives one answer to all who ask for it meanwhile, and that may be older than a sleep of this machine. Pings that yamux
 * sends by itself are not among these: Waggle's own nodes switch them off. None is given up, because yamux would end the
 * connection when the answer comes.
 */
function pingByFrame(connection: Connection, muxer: PingingMuxer): Promise<void> {
  const earlier = lastPings.get(connection) ?? Promise.resolve()
  const ping = earlier.then(() => untilClosed(connection, () => muxer.ping()))
  ping.catch(() => {})
  lastPings.set(connection, ping)
  return ping
}

/** Rejects when the connection ends, because yamux leaves its ping without an answer then. */
async function untilClosed(
  connection: Connection,
  roundTrip: () => Promise<unknown>
): Promise<void> {
  const { promise: closed, reject } = Promise.withResolvers<never>()
  const onClose = (): void => reject(new Error('the connection has ended'))

  if (connection.status !== 'open') {
    onClose()
    return closed
  }

  connection.addEventListener('close', onClose)

  try {
    await Promise.race([timed(connection, roundTrip), closed])
  } finally {
    connection.removeEventListener('close', onClose)
  }
}

/** Opens a stream, which takes one round trip. A peer that refuses the protocol or the stream is alive, too. */
async function pingByStream(connection: Connection, signal: AbortSignal): Promise<void> {
  try {
    const stream = await timed(connection, () =>
      connection.newStream(PING, { signal, runOnLimitedConnection: true })
    )
    stream.abort(new Error('the peer is alive'))
  } catch (error) {
    if (!(error instanceof Error && NO_SIGNS_OF_DEATH.includes(error.name))) {
      throw error
    }
  }
}

/** Notes the time of a round trip. */
async function timed<T>(connection: Connection, roundTrip: () => Promise<T>): Promise<T> {
  const sentAtMs = performance.now()
  const answer = await roundTrip()
  connection.rtt = performance.now() - sentAtMs
  return answer
}
