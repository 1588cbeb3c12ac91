import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { CommandError, toError } from '../errors.ts'

/** Limits of one connection, in ms and bytes. */
const LIMITS = {
  headersTimeout: 5000,
  requestTimeout: 10_000,
  keepAliveTimeout: 5000,
  maxHeaderSize: 8192,
  connectionsCheckingInterval: 1000
}

/** Unauthenticated connections at once. */
const MAX_CONNECTIONS = 64

/** Milliseconds that such a connection may be idle. */
const SILENCE_TIMEOUT_MS = 10_000

export interface BoundedServerInit {
  readonly host: string
  readonly port: number

  /** The server's option, for error messages. */
  readonly option: string

  /**
   * Connections at once. A new one closes the oldest of the host that has most, so no host locks out others.
   * @default 64
   */
  readonly maxConnections?: number
}

export interface BoundedServer extends AsyncDisposable {
  /** The address, as in `http://127.0.0.1:9464`. */
  readonly url: string

  /** Exempts a connection from the limits of connections and idle time. */
  trust(socket: Socket): void
}

/**
 * Starts an HTTP server whose connections are limited in number, time and size.
 *
 * @throws CommandError when the address can't be listened on
 */
export async function startBoundedServer(
  { host, port, option, maxConnections = MAX_CONNECTIONS }: BoundedServerInit,
  onRequest: RequestListener
): Promise<BoundedServer> {
  const strangers = new Set<Socket>()
  const server = createServer(LIMITS, oneByOne(onRequest))
  server.on('connection', (socket) => {
    strangers.add(socket)
    socket.once('close', () => strangers.delete(socket))

    if (strangers.size > maxConnections) {
      const oldest = oldestOfMost(strangers)
      strangers.delete(oldest)
      oldest.destroy()
    }
  })
  server.setTimeout(SILENCE_TIMEOUT_MS)
  server.listen(port, host)

  await once(server, 'listening').catch((error) => {
    throw new CommandError(
      `${option}: can't listen on ${host}:${port}: ${toError(error).message}. Choose another port, or 0 for any free one`
    )
  })
  // Accepting fails while the process has too many open files (EMFILE). It works again once some are closed.
  server.on('error', () => {})
  const { port: actual } = server.address() as AddressInfo

  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${actual}`,
    trust(socket) {
      strangers.delete(socket)
      socket.setTimeout(0)
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  }
}

/**
 * Ends a connection that sends a request before the last one is answered. Clients have no need for that, and
 * thousands of requests would be read in one turn of the event loop.
 */
function oneByOne(onRequest: RequestListener): RequestListener {
  const busy = new WeakSet<Socket>()
  return (message, response) => {
    const { socket } = message

    if (busy.has(socket)) {
      socket.destroy()
      return
    }

    busy.add(socket)
    // In a later turn, as what came in one piece did not wait for an answer.
    response.once('close', () => setImmediate(() => busy.delete(socket)))
    return onRequest(message, response)
  }
}

/** Finds the oldest connection of the host that has most. */
function oldestOfMost(sockets: Iterable<Socket>): Socket {
  const ofHosts = [...Map.groupBy(sockets, ({ remoteAddress }) => remoteAddress).values()]
  const [[oldest]] = ofHosts.sort((a, b) => b.length - a.length) as [[Socket]]
  return oldest
}
