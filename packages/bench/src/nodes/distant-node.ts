import { tcp } from '@libp2p/tcp'
import { DHT, type DHTOptions } from '@waggle/dht'
import { delayedTransport } from './delayed-transport.ts'

/** Time limit of connecting: the slowness of a machine that is busy with many nodes is not measured. */
const PATIENCE_MS = 120_000

/**
 * Creates a node that receives all data with a delay. libp2p pings all of a node's connections every ten seconds at
 * the same time, which occupies a machine with many nodes for seconds; these pings are off.
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
