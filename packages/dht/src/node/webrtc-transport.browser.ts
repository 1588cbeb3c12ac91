import type {
  ClearableSignal,
  Connection,
  Transport,
  Upgrader,
  UpgraderWithoutEncryptionOptions
} from '@libp2p/interface'
import { type WebRTCTransportComponents, webRTC } from '@libp2p/webrtc'
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
import { Signalling } from './signalling.ts'
import type { WebRTCTransportFactory } from './webrtc-transport-init.ts'

/** Pages that a page is connected to, those included that dialled it. */
export const MAX_PAGES = 40

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
    const signalling = new Signalling()
    const guard = signallingGuard(components, signalling)
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
        upgrader: limited(upgrader, door, signalling)
      })
    )
    return overriding<Transport>(transport, {
      dial: (address, options) =>
        transport.dial(address, { ...options, upgrader: limited(options.upgrader, door) })
    })
  }
}

/** Guards the messages by which pages agree on a connection. */
function signallingGuard(
  { connectionManager }: Pick<WebRTCTransportComponents, 'connectionManager'>,
  signalling: Signalling
): ProtocolGuard {
  return ({ remotePeer }, stream) => {
    if (stream.direction === 'inbound') {
      if (countPages(connectionManager) >= MAX_PAGES) {
        throw new Error('this page is connected to as many pages as it may')
      }

      signalling.add(remotePeer, stream)
    }

    return { cut: messagesUpTo(MAX_SIGNALLING_BYTES) }
  }
}

/** Wraps an upgrader so that the streams of its connections are limited. */
function limited(upgrader: Upgrader, door: Door, signalling?: Signalling): Upgrader {
  return overriding<Upgrader>(upgrader, {
    upgradeInbound: async (connection, options) => {
      const upgrade = withLimits(options, door)
      await signalling?.whenEnded(upgrade.remotePeer)
      await upgrader.upgradeInbound(connection, upgrade)
    },
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
