import type { Identify, IdentifyPush } from '@libp2p/identify'
import type { Libp2p, PrivateKey, ServiceMap } from '@libp2p/interface'
import type { KadDHT } from '@libp2p/kad-dht'
import { preSharedKey } from '@libp2p/pnet'
import { tcp } from '@libp2p/tcp'
import { createLibp2p, type Libp2pOptions } from 'libp2p'
import { ListenError, toError } from '../errors.ts'
import { waggleKadDHT } from '../kad/waggle-kad-dht.ts'
import type { NodeLimits } from '../node-limits.ts'
import { accessBy } from '../peers/access.ts'
import { waggle } from '../service/service.ts'
import type { Waggle } from '../service/service-interface.ts'
import type { RecordStoreOptions } from '../store/record-store-options.ts'
import { connectionLayers, type LayerServices } from './connection-layers.ts'
import { gaterFor } from './gater.ts'
import { guardedIdentifyPush } from './identify-push.ts'
import { identityAt } from './identity.ts'
import { listenedAddresses } from './listened-addresses.ts'
import { limitedProtector } from './negotiation-limit.ts'
import { patientIdentify } from './patient-identify.ts'
import {
  holePunching,
  RELAYED_ADDRESS,
  reachability,
  relayServer,
  relayTransport
} from './relay.ts'
import type { Settings } from './settings.ts'

/** Services of a node made by `DHT.create`, besides those that the caller adds. */
type NodeServices = LayerServices & {
  identify: Identify
  identifyPush: IdentifyPush
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
  const { allowPeer, libp2pOptions, logger, metrics, swarmKey } = settings
  const privateKey = await identityOf(settings)
  const gater = allowPeer
    ? gaterFor(accessBy(allowPeer), libp2pOptions.connectionGater)
    : libp2pOptions.connectionGater
  const layers = connectionLayers(gater)

  return {
    ...(privateKey && { privateKey }),
    ...(logger && { logger }),
    ...(metrics && { metrics }),
    ...(swarmKey && {
      connectionProtector: limitedProtector(preSharedKey({ psk: swarmKey }))
    }),
    transports: [tcp(), relayTransport()],
    ...layers.options,
    ...libp2pOptions,
    connectionGater: layers.options.connectionGater,
    addresses: {
      listen: [...settings.listenOn.map(String), ...(settings.relay ? [RELAYED_ADDRESS] : [])],
      announce: settings.announce.map(String),
      ...libp2pOptions.addresses
    },
    connectionManager: { ...layers.options.connectionManager, ...libp2pOptions.connectionManager },
    connectionMonitor: { ...layers.options.connectionMonitor, ...libp2pOptions.connectionMonitor },
    services: {
      ...layers.services,
      ...services(settings),
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

type LayerService = keyof LayerServices

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
  serveGateway,
  serveRelay,
  validators
}: Settings): Omit<NonNullable<Libp2pOptions<NodeServices>['services']>, LayerService> {
  return {
    identify: patientIdentify(),
    identifyPush: guardedIdentifyPush(relay),
    ...(relay && { holePunching: holePunching() }),
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
      ...{ numReplicas, requestTimeoutMs, cache, limits: nodeLimits, allowPeer, connections },
      serveGateway,
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
