import type { ConnectionGater } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { type Ping, type PingComponents, ping } from '@libp2p/ping'
import { yamux } from '@libp2p/yamux'
import type { Libp2pOptions } from 'libp2p'
import { platform } from '#platform'
import { guardedComponents } from '../door/guarded-components.ts'
import { piecesUpTo } from '../door/units.ts'
import { coalescingMuxer } from './coalescing-muxer.ts'
import { connectionLimits } from './connection-limits.ts'
import { withPlaces } from './gater.ts'
import { guardedMuxer } from './guarded-muxer.ts'
import { leanLogger } from './lean-logger.ts'
import { limitedEncrypter } from './negotiation-limit.ts'
import { peerStoreCache } from './peer-store-cache.ts'
import { peerStoreLimits } from './peer-store-limits.ts'
import { MAX_PENDING_CONNECTIONS, PendingConnections } from './pending-connections.ts'
import type { NodeEvents } from './relay.ts'
import { unfragmentedWrites } from './unfragmented-writes.ts'

/**
 * Connections accepted per second from one host. libp2p's default of five is too few for peers behind one address,
 * or on one machine, that join at the same moment.
 */
const MAX_INBOUND_CONNECTIONS_PER_SECOND = 256

/**
 * Pending inbound connections that libp2p accepts: more than there are places, so that Waggle chooses which ones to
 * close.
 */
const MAX_PENDING_INBOUND_CONNECTIONS: number = 2 * MAX_PENDING_CONNECTIONS

/**
 * Milliseconds for a peer's authentication by libp2p's clock, which does not stand still while this process is held
 * up. The places of pending connections end sooner.
 */
const INBOUND_UPGRADE_TIMEOUT_MS = 30_000

/**
 * Dials in libp2p's queue, waiting and under way. A bulk call in a large network may need a connection to each server, and
 * libp2p's default of 500 would fail those above it as if their peers could not be reached. As many may be under way, so
 * that none waits in libp2p, where its timeout would run: Waggle's own dials wait for their turns before.
 */
const MAX_QUEUED_DIALS = 10_000

/** Ping streams: other nodes, kad-dht and the application ping at the same time. */
const MAX_PING_STREAMS = 16

/** Bytes of pings that are echoed in one turn: 32 bytes each. */
const MAX_PING_BYTES = 1024

/**
 * Bytes that a peer may send on one stream before they are read. All of them may have to be buffered, and yamux's
 * default of 16 MiB is more than two messages need.
 */
const MAX_STREAM_WINDOW_BYTES: number = 4 * 1024 * 1024

/** Open inbound streams of one connection, of all protocols: kad-dht's limit, and some more. */
const MAX_INBOUND_STREAMS = 640

/** The services of a node's connections. */
export type LayerServices = {
  ping: Ping
  connectionLimits: unknown
  peerStoreLimits: unknown
  peerStoreCache: unknown
}

/** The part of a node's configuration below its protocols. */
export interface ConnectionLayers {
  readonly options: Required<
    Pick<
      Libp2pOptions,
      'connectionEncrypters' | 'connectionGater' | 'connectionManager' | 'logger' | 'streamMuxers'
    >
  >
  readonly services: NonNullable<Libp2pOptions<LayerServices>['services']>

  /** Places of connections that are being set up. */
  readonly pending: PendingConnections
}

/**
 * Configures the layers between a node's transports and its protocols, the same for every network: efficient
 * writes and loggers, and limits of peers' streams, buffers and pending connections (N13).
 */
export function connectionLayers(gater: ConnectionGater = {}): ConnectionLayers {
  const { noiseCrypto: crypto } = platform
  const pending = new PendingConnections()
  const muxer = yamux({
    maxInboundStreams: MAX_INBOUND_STREAMS,
    // Connections are pinged by one mechanism.
    enableKeepAlive: false,
    streamOptions: { maxStreamWindowSize: MAX_STREAM_WINDOW_BYTES }
  })

  return {
    pending,
    options: {
      logger: leanLogger(),
      connectionEncrypters: [limitedEncrypter(unfragmentedWrites(noise(crypto && { crypto })))],
      streamMuxers: [
        guardedMuxer(coalescingMuxer(muxer), { maxFrameBytes: MAX_STREAM_WINDOW_BYTES })
      ],
      connectionGater: withPlaces(gater, pending),
      connectionManager: {
        inboundConnectionThreshold: MAX_INBOUND_CONNECTIONS_PER_SECOND,
        maxIncomingPendingConnections: MAX_PENDING_INBOUND_CONNECTIONS,
        maxDialQueueLength: MAX_QUEUED_DIALS,
        maxParallelDials: MAX_QUEUED_DIALS,
        inboundUpgradeTimeout: INBOUND_UPGRADE_TIMEOUT_MS
      }
    },
    services: {
      ping: guardedPing(),
      connectionLimits: connectionLimits(pending),
      peerStoreLimits: peerStoreLimits(),
      peerStoreCache: peerStoreCache()
    }
  }
}

/** Creates libp2p's ping service, whose echo is scheduled with other requests. */
function guardedPing(): (components: PingComponents & NodeEvents) => Ping {
  const cut = piecesUpTo(MAX_PING_BYTES)
  const init = { maxInboundStreams: MAX_PING_STREAMS, maxOutboundStreams: MAX_PING_STREAMS }
  return (components) => ping(init)(guardedComponents(components, () => ({ cut })))
}
