import { once } from 'node:events'
import { tcp } from '@libp2p/tcp'
import { DHT, type DHTOptions } from '@waggle/dht'
import { median } from '../workload/statistics.ts'
import { delayedTransport } from './delayed-transport.ts'

/** Time limit of connecting: the slowness of a machine that is busy with many nodes is not measured. */
const PATIENCE_MS = 120_000

const ECHO_PROTOCOL = '/waggle-bench/echo/1.0.0'

/**
 * Creates a node that receives everything later. libp2p pings all of a node's connections every ten seconds at
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

/** Has a node send back every message of a protocol of its own. */
export async function serveEcho({ libp2p }: DHT): Promise<void> {
  await libp2p.handle(ECHO_PROTOCOL, (stream) => {
    stream.addEventListener('message', ({ data }) => {
      stream.send(data)
    })
  })
}

/** Measures the round trip of one byte on an open stream: the median of several. */
export async function roundTripMs({ libp2p }: DHT, count: number): Promise<number> {
  const stream = await libp2p.getConnections()[0]?.newStream(ECHO_PROTOCOL)
  const timesMs: number[] = []

  while (stream !== undefined && timesMs.length < count) {
    const start = performance.now()
    stream.send(Uint8Array.of(1))
    await once(stream, 'message')
    timesMs.push(performance.now() - start)
  }

  await stream?.close()
  return median(timesMs)
}
