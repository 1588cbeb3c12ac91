import type {
  ClearableSignal,
  Connection,
  Stream,
  Transport,
  Upgrader,
  UpgraderWithoutEncryptionOptions
} from '@libp2p/interface'
import { type WebRTCTransportComponents, webRTC } from '@libp2p/webrtc'
import { SharedPlaces } from '../admission/shared-places.ts'
import { type Door, doorOf } from '../door/door.ts'
import {
  guardedComponents,
  guardedConnection,
  type ProtocolGuard
} from '../door/guarded-components.ts'
import { overriding } from '../door/overriding.ts'
import { messagesUpTo } from '../door/units.ts'
import { countPages } from '../pages/mesh.ts'
import { timeoutSignal } from '../timing/deadline.ts'
import { limitedStreams } from './guarded-muxer.ts'
import type { WebRTCTransportFactory } from './webrtc-transport-init.ts'

/** Pages that a page is connected to, those included that dialled it. */
export const MAX_PAGES = 40

/** Connections of pages that are being set up. Each takes a browser some memory and sockets. */
const MAX_PENDING_PAGES = 8

/** Milliseconds for an inbound connection: browsers look for a way through all networks of both sides. */
const SET_UP_TIMEOUT_MS = 15_000

/** Bytes of one message by which pages agree on a connection: a session description or a candidate. */
const MAX_SIGNALLING_BYTES: number = 16 * 1024

/**
 * Creates libp2p's WebRTC transport with the limits of all other connections (N13): of messages, of streams, of
 * connections that are being set up.
 */
export const webRTCTransport: WebRTCTransportFactory = ({ iceServers }) => {
  if (Reflect.get(globalThis, 'RTCPeerConnection') === undefined) {
    throw new TypeError('webRTC() needs WebRTC, which browsers give to pages and not to workers')
  }

  const create = webRTC(iceServers && { rtcConfiguration: { iceServers } })
  return (components: WebRTCTransportComponents): Transport => {
    const { connectionManager, transportManager, upgrader } = components
    const door = doorOf(components)
    const guard = signallingGuard(components)
    const guarded = (connection: Connection): Connection =>
      guardedConnection(connection, door, guard)
    const transport = create(
      guardedComponents(components, guard, {
        connectionManager: overriding(connectionManager, {
          getConnections: (peer) => connectionManager.getConnections(peer).map(guarded)
        }),
        transportManager: overriding(transportManager, {
          dial: async (...args) => guarded(await transportManager.dial(...args))
        }),
        upgrader: limited(upgrader, door)
      })
    )
    return overriding<Transport>(transport, {
      dial: (address, options) =>
        transport.dial(address, { ...options, upgrader: limited(options.upgrader, door) })
    })
  }
}

/** Guards the messages by which pages agree on a connection. */
function signallingGuard({
  connectionManager
}: Pick<WebRTCTransportComponents, 'connectionManager'>): ProtocolGuard {
  const pending = new SharedPlaces<Stream>({
    maxSize: MAX_PENDING_PAGES,
    reason: 'a connection that was not set up makes room for others'
  })
  return ({ remotePeer }, stream) => {
    if (stream.direction === 'inbound') {
      if (countPages(connectionManager) >= MAX_PAGES) {
        throw new Error('this page is connected to as many pages as it may')
      }

      pending.add(stream, remotePeer.toString())
    }

    return { cut: messagesUpTo(MAX_SIGNALLING_BYTES) }
  }
}

/** Wraps an upgrader so that the streams of its connections are limited. */
function limited(upgrader: Upgrader, door: Door): Upgrader {
  return overriding<Upgrader>(upgrader, {
    upgradeInbound: (connection, options) =>
      upgrader.upgradeInbound(connection, withLimits(options, door)),
    upgradeOutbound: (connection, options) =>
      upgrader.upgradeOutbound(connection, withLimits(options, door)),
    createInboundAbortSignal: (signal) =>
      Object.assign(AbortSignal.any([signal, timeoutSignal(SET_UP_TIMEOUT_MS)]), {
        clear: () => {}
      }) as ClearableSignal
  })
}

/** Limits the streams of WebRTC's muxer. WebRTC encrypts, too, so the peer is known before. */
function withLimits(options: object, door: Door): UpgraderWithoutEncryptionOptions {
  const upgrade = options as UpgraderWithoutEncryptionOptions
  const { muxerFactory, remotePeer } = upgrade
  const peer = String(remotePeer)
  return {
    ...upgrade,
    ...(muxerFactory && {
      muxerFactory: {
        protocol: muxerFactory.protocol,
        createStreamMuxer: (connection) =>
          limitedStreams(muxerFactory.createStreamMuxer(connection), { door, peer })
      }
    })
  }
}
