import { tcp } from '@libp2p/tcp'
import { DHT, type DHTOptions } from '@waggle/dht'
import { delayedTransport } from './delayed-transport.ts'

/** How long things may take on a machine that is busy with many nodes: its slowness is not measured. */
const PATIENCE_MS = 120_000

/**
 * A node that is far from everybody: what it is sent arrives so much later. libp2p pings all of a
 * node's connections every ten seconds, all at once, which keeps a machine with many nodes from
 * everything else for seconds. Here they are not to disturb what is measured.
 */
export function distantNode(oneWayMs: number, options: DHTOptions): Promise<DHT> {
  return DHT.create({
    bootstrapTimeoutMs: PATIENCE_MS,
    ...options,
    libp2pOptions: {
      transports: [delayedTransport(tcp(), oneWayMs)],
      connectionMonitor: { enabled: false },
      connectionManager: {
        dialTimeout: PATIENCE_MS,
        addressDialTimeout: PATIENCE_MS,
        inboundUpgradeTimeout: PATIENCE_MS,
        inboundStreamProtocolNegotiationTimeout: PATIENCE_MS,
        outboundStreamProtocolNegotiationTimeout: PATIENCE_MS
      }
    }
  })
}
