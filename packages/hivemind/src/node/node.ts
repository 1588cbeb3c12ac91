import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import type { Identify } from '@libp2p/identify'
import type { Libp2p, ServiceMap } from '@libp2p/interface'
import type { KadDHT } from '@libp2p/kad-dht'
import { type Ping, ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { coalescingMuxer, unfragmentedWrites } from '@waggle/dht/connection'
import { createLibp2p, type Libp2pOptions } from 'libp2p'
import type { Hivemind } from '../service/interface.ts'
import { hivemind } from '../service/service.ts'
import { identityAt, patientIdentify } from '../waggle-parts.ts'
import { hivemindKadDHT } from './hivemind-kad-dht.ts'
import type { NodeSettings } from './options.ts'

/** libp2p's defaults are too few for peers behind one address that join at the same moment. */
const MAX_INBOUND_CONNECTIONS_PER_SECOND = 256
const MAX_PENDING_INBOUND_CONNECTIONS = 256

/** Milliseconds that a peer may be silent before its connection counts as dead. */
const PING_INTERVAL_MS = 20_000

/** Bytes that a peer may send on one stream before they are read: a whole message. */
const MAX_STREAM_WINDOW_BYTES: number = 4 * 1024 * 1024

/** Makes a libp2p node that speaks what p2pd speaks and has the Hivemind service. It has joined nothing yet. */
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

/** What a node is made of, besides what the caller adds. */
type NodeServices = {
  identify: Identify
  ping: Ping
  hivemindKad: KadDHT
  hivemind: Hivemind
}

async function configuration(settings: NodeSettings): Promise<Libp2pOptions<NodeServices>> {
  const { clientMode, identityPath, init, libp2pOptions, logger, metrics } = settings
  const privateKey =
    identityPath === undefined ? settings.privateKey : await identityAt(identityPath)
  return {
    ...(privateKey && { privateKey }),
    ...(logger && { logger }),
    ...(metrics && { metrics }),
    transports: [tcp()],
    connectionEncrypters: [unfragmentedWrites(noise())],
    streamMuxers: [
      coalescingMuxer(yamux({ streamOptions: { maxStreamWindowSize: MAX_STREAM_WINDOW_BYTES } }))
    ],
    ...libp2pOptions,
    addresses: {
      listen: settings.listenOn.map(String),
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
    services: {
      identify: patientIdentify(),
      ping: ping(),
      hivemindKad: hivemindKadDHT({ clientMode }),
      hivemind: hivemind(init),
      ...libp2pOptions.services
    }
  }
}
