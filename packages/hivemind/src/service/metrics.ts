import type { Metrics } from '@libp2p/interface'
import { Meter } from '../waggle-parts.ts'
import type { HivemindStats } from './interface.ts'

/** Prefix of all metrics' names. */
const PREFIX = 'waggle_hivemind'

type Gauge = readonly [help: string, read: (stats: HivemindStats) => number]

const GAUGES: Readonly<Record<string, Gauge>> = {
  records: ['Records held for others', ({ records }) => records],
  record_bytes: ['Bytes of records held for others', ({ bytes }) => bytes],
  cached_records: ['Records in the cache', ({ cachedRecords }) => cachedRecords],
  cached_bytes: ['Bytes of records in the cache', ({ cachedBytes }) => cachedBytes],
  known_peers: ['Nodes in the routing table', ({ knownPeers }) => knownPeers],
  requests: ['Calls of other peers in progress', ({ requests }) => requests],
  clock_skew_seconds: [
    "Median seconds by which the peers' clocks are ahead of this one",
    ({ clockSkewMs = 0 }) => clockSkewMs / 1000
  ]
}

/** Registers a node's metrics. `read` returns undefined while the node is stopped. */
export function hivemindMeter(
  metrics: Metrics | undefined,
  read: () => HivemindStats | undefined
): Meter | undefined {
  for (const [name, [help, figureOf]] of Object.entries(GAUGES)) {
    metrics?.registerMetric(`${PREFIX}_${name}`, {
      help,
      calculate() {
        const stats = read()
        return stats === undefined ? 0 : figureOf(stats)
      }
    })
  }

  return metrics && new Meter(metrics, PREFIX)
}
