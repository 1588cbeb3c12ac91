import { tcp } from '@libp2p/tcp'
import { DHT, type DHTOptions } from '@waggle/dht'
import { delayedTransport } from './delayed-transport.ts'

/** How long joining may take on a machine that is busy with other nodes. */
const BOOTSTRAP_TIMEOUT_MS = 120_000

/**
 * A node that is far from everybody: what it is sent arrives so much later. libp2p pings all of a
 * node's connections every ten seconds, all at once, which keeps a machine with many nodes from
 * everything else for seconds. Here they are not to disturb what is measured.
 */
export function distantNode(oneWayMs: number, options: DHTOptions): Promise<DHT> {
  return DHT.create({
    bootstrapTimeoutMs: BOOTSTRAP_TIMEOUT_MS,
    ...options,
    libp2pOptions: {
      transports: [delayedTransport(tcp(), oneWayMs)],
      connectionMonitor: { enabled: false }
    }
  })
}
