import type { Identify, IdentifyPush } from '@libp2p/identify'
import type { Libp2p, ServiceMap } from '@libp2p/interface'
import type { KadDHT } from '@libp2p/kad-dht'
import { tcp } from '@libp2p/tcp'
import { createLibp2p, type Libp2pOptions } from 'libp2p'
import { lazyNegotiation } from '../rpc/lazy-negotiation.ts'
import type { Hivemind } from '../service/interface.ts'
import { hivemind } from '../service/service.ts'
import {
  connectionLayers,
  guardedIdentifyPush,
  identityAt,
  type LayerServices,
  patientIdentify,
  RELAYED_ADDRESS,
  relayTransport
} from '../waggle-parts.ts'
import { hivemindKadDHT } from './hivemind-kad-dht.ts'
import type { NodeSettings } from './options.ts'

/**
 * Milliseconds of silence after which a connection counts as dead: Hivemind's own peers leave without closing it.
 */
const PING_INTERVAL_MS = 20_000

/**
 * Makes a libp2p node that speaks p2pd's protocols and has the Hivemind service. It has not joined a network yet.
 */
export async function startNode(settings: NodeSettings): Promise<Libp2p<ServiceMap>> {
  const node = await createLibp2p({ ...(await configuration(settings)), start: false })

  try {
    await node.start()
    return node
  } catch (error) {
    await node.stop()
    throw error
  }
}

/** The node's services, besides those that the caller adds. */
type NodeServices = LayerServices & {
  identify: Identify
  identifyPush: IdentifyPush
  hivemindKad: KadDHT
  hivemind: Hivemind
}

async function configuration(settings: NodeSettings): Promise<Libp2pOptions<NodeServices>> {
  const { clientMode, identityPath, init, libp2pOptions, logger, metrics } = settings
  const privateKey =
    identityPath === undefined ? settings.privateKey : await identityAt(identityPath)
  const layers = connectionLayers(libp2pOptions.connectionGater)
  return {
    ...(privateKey && { privateKey }),
    ...(metrics && { metrics }),
    transports: [tcp(), relayTransport()],
    ...layers.options,
    ...(logger && { logger }),
    streamMuxers: layers.options.streamMuxers.map(lazyNegotiation),
    ...libp2pOptions,
    addresses: {
      listen: [...settings.listenOn.map(String), ...(settings.relay ? [RELAYED_ADDRESS] : [])],
      announce: settings.announce.map(String),
      ...libp2pOptions.addresses
    },
    connectionGater: layers.options.connectionGater,
    connectionManager: { ...layers.options.connectionManager, ...libp2pOptions.connectionManager },
    connectionMonitor: {
      pingInterval: PING_INTERVAL_MS,
      pingTimeout: { minTimeout: PING_INTERVAL_MS, maxTimeout: PING_INTERVAL_MS },
      ...libp2pOptions.connectionMonitor
    },
    services: {
      ...layers.services,
      identify: patientIdentify(),
      identifyPush: guardedIdentifyPush(settings.relay),
      hivemindKad: hivemindKadDHT({ clientMode }),
      hivemind: hivemind(init),
      ...libp2pOptions.services
    }
  }
}
