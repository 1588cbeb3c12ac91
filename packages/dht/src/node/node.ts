import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import type { Identify, IdentifyPush } from '@libp2p/identify'
import type { Libp2p, PrivateKey, ServiceMap } from '@libp2p/interface'
import type { KadDHT } from '@libp2p/kad-dht'
import { type Ping, type PingComponents, ping } from '@libp2p/ping'
import { preSharedKey } from '@libp2p/pnet'
import { tcp } from '@libp2p/tcp'
import { createLibp2p, type Libp2pOptions } from 'libp2p'
import { guardedComponents } from '../door/guarded-components.ts'
import { piecesUpTo } from '../door/units.ts'
import { ListenError, toError } from '../errors.ts'
import { waggleKadDHT } from '../kad/waggle-kad-dht.ts'
import type { NodeLimits } from '../node-limits.ts'
import { accessBy } from '../peers/access.ts'
import { waggle } from '../service/service.ts'
import type { Waggle } from '../service/service-interface.ts'
import type { RecordStoreOptions } from '../store/record-store-options.ts'
import { coalescingMuxer } from './coalescing-muxer.ts'
import { connectionLimits } from './connection-limits.ts'
import { gaterFor, withPlaces } from './gater.ts'
import { guardedMuxer } from './guarded-muxer.ts'
import { guardedIdentifyPush } from './identify-push.ts'
import { identityAt } from './identity.ts'
import { listenedAddresses } from './listened-addresses.ts'
import { patientIdentify } from './patient-identify.ts'
import { peerStoreLimits } from './peer-store-limits.ts'
import { MAX_PENDING_CONNECTIONS, PendingConnections } from './pending-connections.ts'
import {
  holePunching,
  type NodeEvents,
  RELAYED_ADDRESS,
  reachability,
  relayServer,
  relayTransport
} from './relay.ts'
import type { Settings } from './settings.ts'
import { unfragmentedWrites } from './unfragmented-writes.ts'

/**
 * Connections accepted per second from one host. libp2p's default of five is too few for peers
 * behind one address, or on one machine, that join at the same moment.
 */
const MAX_INBOUND_CONNECTIONS_PER_SECOND = 256

/** Pending inbound connections that libp2p accepts: more than there are places, so that Waggle chooses which ones to close. */
const MAX_PENDING_INBOUND_CONNECTIONS: number = 2 * MAX_PENDING_CONNECTIONS

/** How long a peer may take to show who it is, in ms: several round trips on the slowest of links. */
const INBOUND_UPGRADE_TIMEOUT_MS = 3000

/**
 * Milliseconds between pings of one connection by libp2p, and by its muxer. They are for connections on which nothing
 * else happens: a request that fails has its connection checked at once.
 */
const PING_INTERVAL_MS = 120_000

/** Milliseconds for the answer to a ping: a busy peer is not gone. */
const PING_TIMEOUT_MS = 20_000

/** Ping streams: the connection monitor, kad-dht and the application ping at the same time. */
const MAX_PING_STREAMS = 16

/** Bytes of pings that are echoed in one turn: 32 bytes each. */
const MAX_PING_BYTES = 1024

/**
 * Bytes that a peer may send on one stream before it is read. All of them may have to be buffered,
 * and yamux's default of 16 MiB is more than two messages need.
 */
const MAX_STREAM_WINDOW_BYTES: number = 4 * 1024 * 1024

/** Streams of all protocols that one connection may have open: as many as kad-dht takes, and some others. */
const MAX_INBOUND_STREAMS = 640

/** Services of a node made by `DHT.create`, besides those that the caller adds. */
type NodeServices = {
  identify: Identify
  identifyPush: IdentifyPush
  ping: Ping
  holePunching?: unknown
  listenedAddresses: unknown
  connectionLimits: unknown
  peerStoreLimits: unknown
  reachability?: unknown
  relayServer?: unknown
  dht: KadDHT
  waggle: Waggle
}

/**
 * Starts a libp2p node with the Waggle service. It has not joined a network yet.
 *
 * @throws ListenError when an address can't be listened on
 */
export async function startNode(settings: Settings): Promise<Libp2p<ServiceMap>> {
  const node = await createLibp2p({ ...(await configuration(settings)), start: false })

  try {
    await node.start()
    return node
  } catch (error) {
    await node.stop()
    throw listenError(settings, toError(error))
  }
}

async function configuration(settings: Settings): Promise<Libp2pOptions<NodeServices>> {
  const { allowPeer, libp2pOptions, logger, metrics, swarmKey } = settings
  const privateKey = await identityOf(settings)
  const pending = new PendingConnections()

  return {
    ...(privateKey && { privateKey }),
    ...(logger && { logger }),
    ...(metrics && { metrics }),
    ...(swarmKey && { connectionProtector: preSharedKey({ psk: swarmKey }) }),
    transports: [tcp(), relayTransport()],
    connectionEncrypters: [unfragmentedWrites(noise())],
    streamMuxers: [
      guardedMuxer(
        coalescingMuxer(
          yamux({
            maxInboundStreams: MAX_INBOUND_STREAMS,
            keepAliveInterval: PING_INTERVAL_MS,
            streamOptions: { maxStreamWindowSize: MAX_STREAM_WINDOW_BYTES }
          })
        ),
        { maxFrameBytes: MAX_STREAM_WINDOW_BYTES }
      )
    ],
    ...libp2pOptions,
    connectionGater: withPlaces(
      allowPeer
        ? gaterFor(accessBy(allowPeer), libp2pOptions.connectionGater)
        : (libp2pOptions.connectionGater ?? {}),
      pending
    ),
    addresses: {
      listen: [...settings.listenOn.map(String), ...(settings.relay ? [RELAYED_ADDRESS] : [])],
      announce: settings.announce.map(String),
      ...libp2pOptions.addresses
    },
    connectionManager: {
      inboundConnectionThreshold: MAX_INBOUND_CONNECTIONS_PER_SECOND,
      maxIncomingPendingConnections: MAX_PENDING_INBOUND_CONNECTIONS,
      inboundUpgradeTimeout: INBOUND_UPGRADE_TIMEOUT_MS,
      ...libp2pOptions.connectionManager
    },
    connectionMonitor: {
      pingInterval: PING_INTERVAL_MS,
      pingTimeout: { minTimeout: PING_TIMEOUT_MS, maxTimeout: PING_TIMEOUT_MS },
      ...libp2pOptions.connectionMonitor
    },
    services: {
      ...services(settings),
      connectionLimits: connectionLimits(pending),
      ...libp2pOptions.services
    }
  }
}

/** Returns the private key. Undefined: libp2p makes one for this run. */
async function identityOf({
  identityPath,
  privateKey,
  persistence: { dataDir }
}: Settings): Promise<PrivateKey | undefined> {
  if (privateKey !== undefined || dataDir === undefined || identityPath !== undefined) {
    return identityPath === undefined ? privateKey : identityAt(identityPath)
  }

  const { identityIn, prepareDataDir } = await import('../persistence/data-dir.ts')
  await prepareDataDir(dataDir)
  return identityAt(identityIn(dataDir), { isOwn: true })
}

function services({
  allowPeer,
  cache,
  clientMode,
  connections,
  limits,
  nodeLimits,
  numReplicas,
  persistence,
  protocol,
  relay,
  requestTimeoutMs,
  serveRelay,
  validators
}: Settings): Omit<NonNullable<Libp2pOptions<NodeServices>['services']>, 'connectionLimits'> {
  return {
    identify: patientIdentify(),
    identifyPush: guardedIdentifyPush(relay),
    ping: guardedPing(),
    ...(relay && { holePunching: holePunching() }),
    listenedAddresses: listenedAddresses(),
    peerStoreLimits: peerStoreLimits(),
    ...((relay || serveRelay) && { reachability: reachability() }),
    ...(serveRelay && { relayServer: relayServer() }),
    dht: waggleKadDHT({
      protocol,
      clientMode,
      records: { limits, validators, ...storedLimits(nodeLimits) },
      networkDialTimeout: { minTimeout: requestTimeoutMs, maxTimeout: requestTimeoutMs }
    }),
    waggle: waggle({
      ...{ numReplicas, requestTimeoutMs, cache, limits: nodeLimits, allowPeer, connections },
      ...persistence
    })
  }
}

/** libp2p's ping, whose echo takes turns with all else. */
function guardedPing(): (components: PingComponents & NodeEvents) => Ping {
  const cut = piecesUpTo(MAX_PING_BYTES)
  const init = { maxInboundStreams: MAX_PING_STREAMS, maxOutboundStreams: MAX_PING_STREAMS }
  return (components) => ping(init)(guardedComponents(components, () => ({ cut })))
}

function storedLimits(limits: NodeLimits): RecordStoreOptions {
  return {
    maxRecords: limits.maxStoredRecords,
    maxBytes: limits.maxStoredBytes,
    maxRecordsPerPeer: Math.min(limits.maxStoredRecordsPerPeer, limits.maxStoredRecords),
    maxBytesPerPeer: Math.min(limits.maxStoredBytesPerPeer, limits.maxStoredBytes)
  }
}

function listenError({ listenOn }: Settings, error: Error): Error {
  const reasons = reasonsOf(error.message)

  return reasons.length === 0
    ? error
    : new ListenError(
        `listenOn: can't listen on ${listenOn.join(', ')}: ${reasons.join('; ')}. Choose another address, or port 0 for any free port.`,
        { cause: error }
      )
}

/** Picks one line per address out of libp2p's message, which has a stack trace for each. */
function reasonsOf(message: string): string[] {
  const lines = message.matchAll(/^ *\S+: (?:Error|UnsupportedListenAddressError): (.+)$/gm)
  return Array.from(lines, ([, reason = '']) => reason)
}
