import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import type { Identify } from '@libp2p/identify'
import type { Libp2p, PrivateKey, ServiceMap } from '@libp2p/interface'
import type { KadDHT } from '@libp2p/kad-dht'
import { type Ping, ping } from '@libp2p/ping'
import { preSharedKey } from '@libp2p/pnet'
import { tcp } from '@libp2p/tcp'
import { createLibp2p, type Libp2pOptions } from 'libp2p'
import { ListenError, toError } from '../errors.ts'
import { waggleKadDHT } from '../kad/waggle-kad-dht.ts'
import type { NodeLimits } from '../node-limits.ts'
import { accessBy } from '../peers/access.ts'
import { waggle } from '../service/service.ts'
import type { Waggle } from '../service/service-interface.ts'
import type { RecordStoreOptions } from '../store/record-store.ts'
import { coalescingMuxer } from './coalescing-muxer.ts'
import { gaterFor } from './gater.ts'
import { identityAt } from './identity.ts'
import { listenedAddresses } from './listened-addresses.ts'
import { patientIdentify } from './patient-identify.ts'
import {
  holePunching,
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

/** Inbound connections being set up, for the same reason. libp2p's default is ten. */
const MAX_PENDING_INBOUND_CONNECTIONS = 256

/**
 * Milliseconds between pings, and until a silent connection counts as dead. A busy peer has not
 * gone, and requests have timeouts of their own. Pings never overlap, as stock peers accept few at
 * once.
 */
const PING_INTERVAL_MS = 20_000

/** Ping streams: the connection monitor, kad-dht and the application ping at the same time. */
const MAX_PING_STREAMS = 16

/**
 * Bytes that a peer may send on one stream before it is read. All of them may have to be buffered,
 * and yamux's default of 16 MiB is more than two messages need.
 */
const MAX_STREAM_WINDOW_BYTES: number = 4 * 1024 * 1024

/** Services of a node made by `DHT.create`, besides those that the caller adds. */
type NodeServices = {
  identify: Identify
  ping: Ping
  holePunching: unknown
  listenedAddresses: unknown
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

  return {
    ...(privateKey && { privateKey }),
    ...(logger && { logger }),
    ...(metrics && { metrics }),
    ...(swarmKey && { connectionProtector: preSharedKey({ psk: swarmKey }) }),
    transports: [tcp(), relayTransport()],
    connectionEncrypters: [unfragmentedWrites(noise())],
    streamMuxers: [
      coalescingMuxer(yamux({ streamOptions: { maxStreamWindowSize: MAX_STREAM_WINDOW_BYTES } }))
    ],
    ...libp2pOptions,
    ...(allowPeer && {
      connectionGater: gaterFor(accessBy(allowPeer), libp2pOptions.connectionGater)
    }),
    addresses: {
      listen: [...settings.listenOn.map(String), ...(settings.relay ? [RELAYED_ADDRESS] : [])],
      announce: settings.announce.map(String),
      ...libp2pOptions.addresses
    },
    connectionManager: {
      inboundConnectionThreshold: MAX_INBOUND_CONNECTIONS_PER_SECOND,
      maxIncomingPendingConnections: MAX_PENDING_INBOUND_CONNECTIONS,
      ...libp2pOptions.connectionManager
    },
    connectionMonitor: {
      pingInterval: PING_INTERVAL_MS,
      pingTimeout: { minTimeout: PING_INTERVAL_MS, maxTimeout: PING_INTERVAL_MS },
      ...libp2pOptions.connectionMonitor
    },
    services: { ...services(settings), ...libp2pOptions.services }
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
  return identityAt(identityIn(dataDir))
}

function services({
  allowPeer,
  cache,
  clientMode,
  limits,
  nodeLimits,
  numReplicas,
  persistence,
  protocol,
  relay,
  requestTimeoutMs,
  serveRelay,
  validators
}: Settings): NonNullable<Libp2pOptions<NodeServices>['services']> {
  return {
    identify: patientIdentify(),
    ping: ping({ maxInboundStreams: MAX_PING_STREAMS, maxOutboundStreams: MAX_PING_STREAMS }),
    holePunching: holePunching(),
    listenedAddresses: listenedAddresses(),
    ...((relay || serveRelay) && { reachability: reachability() }),
    ...(serveRelay && { relayServer: relayServer() }),
    dht: waggleKadDHT({
      protocol,
      clientMode,
      records: { limits, validators, ...storedLimits(nodeLimits) },
      networkDialTimeout: { minTimeout: requestTimeoutMs, maxTimeout: requestTimeoutMs }
    }),
    waggle: waggle({
      ...{ numReplicas, requestTimeoutMs, cache, limits: nodeLimits, allowPeer },
      ...persistence
    })
  }
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
