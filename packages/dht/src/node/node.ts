import type { Identify, IdentifyPush } from '@libp2p/identify'
import type { Libp2p, PrivateKey, ServiceMap } from '@libp2p/interface'
import type { KadDHT } from '@libp2p/kad-dht'
import { createLibp2p, type Libp2pOptions } from 'libp2p'
import { platform } from '#platform'
import { heartbeat } from '../connections/heartbeat.ts'
import { ListenError, toError } from '../errors.ts'
import type { NodeLimits } from '../node-limits.ts'
import { accessBy } from '../peers/access.ts'
import { waggle } from '../service/service.ts'
import type { Waggle } from '../service/service-interface.ts'
import type { WaggleInit } from '../service/service-options.ts'
import type { RecordStoreOptions } from '../store/record-store-options.ts'
import { connectionLayers, type LayerServices } from './connection-layers.ts'
import { gaterFor } from './gater.ts'
import { guardedIdentifyPush } from './identify-push.ts'
import { listenedAddresses } from './listened-addresses.ts'
import { limitedProtector } from './negotiation-limit.ts'
import { patientIdentify } from './patient-identify.ts'
import { PAGE_ADDRESS, RELAYED_ADDRESS } from './relayed-address.ts'
import type { Settings } from './settings.ts'

/** Services of a node made by `DHT.create`, besides those that the caller adds. */
type NodeServices = LayerServices & {
  identify: Identify
  identifyPush: IdentifyPush
  heartbeat?: unknown
  holePunching?: unknown
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
  const { allowPeer, libp2pOptions, logger, metrics, pages, swarmKey } = settings
  const isRelayed = settings.relay || pages !== undefined
  const privateKey = await identityOf(settings)
  const own = platform.gater(libp2pOptions.connectionGater, settings.initialPeers)
  const layers = connectionLayers(allowPeer ? gaterFor(accessBy(allowPeer), own) : own)
  const transports = await platform.transports({ places: layers.pending, relay: isRelayed })

  return {
    ...(privateKey && { privateKey }),
    ...(metrics && { metrics }),
    ...(swarmKey && { connectionProtector: await protectorBy(swarmKey) }),
    transports: [...transports, ...(pages ? [pages.transport] : [])],
    ...layers.options,
    ...(logger && { logger }),
    ...libp2pOptions,
    connectionGater: layers.options.connectionGater,
    addresses: {
      listen: [
        ...settings.listenOn.map(String),
        ...(isRelayed ? [RELAYED_ADDRESS] : []),
        ...(pages ? [PAGE_ADDRESS] : [])
      ],
      announce: settings.announce.map(String),
      ...libp2pOptions.addresses
    },
    connectionManager: { ...layers.options.connectionManager, ...libp2pOptions.connectionManager },
    // libp2p's own monitor runs where the caller has configured it.
    connectionMonitor: libp2pOptions.connectionMonitor ?? { enabled: false },
    services: {
      ...layers.services,
      ...(libp2pOptions.connectionMonitor === undefined && { heartbeat: heartbeat() }),
      ...(await relayServices(settings)),
      ...(await services(settings)),
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
  if (identityPath !== undefined) {
    const { identityAt } = await import('#files')
    return identityAt(identityPath)
  }

  if (privateKey !== undefined || dataDir === undefined) {
    return privateKey
  }

  const { identityAt, identityIn, prepareDataDir } = await import('#files')
  await prepareDataDir(dataDir)
  return identityAt(identityIn(dataDir), { isOwn: true })
}

/** Loads the protector, which only private networks need. */
async function protectorBy(
  swarmKey: Uint8Array
): Promise<NonNullable<Libp2pOptions['connectionProtector']>> {
  const { preSharedKey } = await import('@libp2p/pnet')
  return limitedProtector(preSharedKey({ psk: swarmKey }))
}

/** Loads the services that only relays and relayed nodes need. */
async function relayServices({
  relay,
  serveRelay
}: Settings): Promise<Partial<NonNullable<Libp2pOptions<NodeServices>['services']>>> {
  if (!(relay || serveRelay)) {
    return {}
  }

  const { holePunching, reachability, relayServer } = await import('./relay-services.ts')
  return {
    reachability: reachability(),
    ...(relay && { holePunching: holePunching() }),
    ...(serveRelay && { relayServer: relayServer() })
  }
}

type LayerService = keyof LayerServices

async function services({
  allowPeer,
  cache,
  clientMode,
  connections,
  limits,
  nodeLimits,
  numReplicas,
  pages,
  persistence,
  protocol,
  relay,
  requestTimeoutMs,
  serveGateway,
  validators
}: Settings): Promise<Omit<NonNullable<Libp2pOptions<NodeServices>['services']>, LayerService>> {
  return {
    identify: patientIdentify(),
    identifyPush: guardedIdentifyPush(relay || pages !== undefined),
    listenedAddresses: listenedAddresses(),
    dht: await platform.kadDHT({
      protocol,
      clientMode,
      records: { limits, validators, ...storedLimits(nodeLimits) },
      networkDialTimeout: { minTimeout: requestTimeoutMs, maxTimeout: requestTimeoutMs }
    }),
    waggle: waggle({
      ...{ numReplicas, requestTimeoutMs, cache, allowPeer, connections },
      limits: serviceLimits(nodeLimits),
      serveGateway,
      pages,
      ...persistence
    })
  }
}

/** Selects the limits that are not the store's. */
function serviceLimits({
  maxStoredRecords: _records,
  maxStoredBytes: _bytes,
  maxStoredRecordsPerPeer: _recordsPerPeer,
  maxStoredBytesPerPeer: _bytesPerPeer,
  ...limits
}: NodeLimits): NonNullable<WaggleInit['limits']> {
  return limits
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
