import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type {
  AbortOptions,
  Connection,
  DialTransportOptions,
  Logger,
  MultiaddrConnection
} from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { toError } from '../errors.ts'
import type { WebSocketTarget } from '../peers/websocket-address.ts'
import { takeBytes } from './first-bytes.ts'
import { HttpHeadReader, upgradeRequest } from './http-upgrade.ts'
import { SocketConnection } from './socket-connection.ts'
import { WebSocketConnection } from './websocket-connection.ts'

export interface WebSocketDialInit {
  readonly address: Multiaddr
  readonly target: WebSocketTarget
  readonly log: Logger
}

/** Dials a WebSocket, with TLS or without. */
export async function dialWebSocket(
  { address, target, log }: WebSocketDialInit,
  options: DialTransportOptions
): Promise<Connection> {
  const socket = await connected(target, options)
  const raw = new SocketConnection({ socket, remoteAddr: address, log, direction: 'outbound' })

  try {
    await upgrade(raw, target, options)
    const connection = new WebSocketConnection({ raw, remoteAddr: address })
    return await options.upgrader.upgradeOutbound(connection, options)
  } catch (error) {
    raw.abort(toError(error))
    throw error
  }
}

async function connected(
  { host, port, isSecure, serverName }: WebSocketTarget,
  { signal }: AbortOptions
): Promise<Socket> {
  signal?.throwIfAborted()
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const socket = isSecure
    ? connectTls({ host, port, ...serverNameOf(serverName), ALPNProtocols: ['http/1.1'] })
    : connectTcp({ host, port })
  const onAbort = (): void => reject(signal?.reason)
  socket.once(isSecure ? 'secureConnect' : 'connect', resolve)
  socket.once('error', reject)
  signal?.addEventListener('abort', onAbort)

  try {
    await promise
    return socket.setNoDelay(true)
  } catch (error) {
    socket.destroy()
    throw error
  } finally {
    socket.removeListener('error', reject)
    signal?.removeEventListener('abort', onAbort)
  }
}

/** TLS sends no IP addresses as names. */
function serverNameOf(serverName: string): { servername?: string } {
  return isIP(serverName) === 0 ? { servername: serverName } : {}
}

async function upgrade(
  raw: MultiaddrConnection,
  { host, port }: WebSocketTarget,
  options: AbortOptions
): Promise<void> {
  const request = upgradeRequest(`${host.includes(':') ? `[${host}]` : host}:${port}`)
  const reader = new HttpHeadReader()
  raw.send(new TextEncoder().encode(request.text))
  const head = await takeBytes(raw, (bytes) => reader.push(bytes), options)
  request.assertAccepted(head)
  raw.unshift(head.rest)
}
