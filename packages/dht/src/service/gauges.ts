import type { Metrics } from '@libp2p/interface'
import type { Stats } from './stats.ts'

/** Figures of a node at one moment. */
export interface Readings {
  readonly stats: Stats
  readonly avoidedPeers: number
  readonly plannedRefreshes: number
  readonly requestsWaiting: number
  readonly requestsInFlight: number
}

type Gauge = readonly [help: string, read: (readings: Readings) => number]

const GAUGES: Readonly<Record<string, Gauge>> = {
  waggle_records: ['Records stored for others', ({ stats }) => stats.records],
  waggle_record_bytes: ['Bytes of records stored for others', ({ stats }) => stats.bytes],
  waggle_cached_records: ['Records in the cache', ({ stats }) => stats.cachedRecords],
  waggle_cached_bytes: ['Bytes of records in the cache', ({ stats }) => stats.cachedBytes],
  waggle_watched_for_others: [
    'Keys that other peers watch here, counted once per peer',
    ({ stats }) => stats.watchedForOthers
  ],
  waggle_forwarded_keys: [
    'Keys whose changes are forwarded to others',
    ({ stats }) => stats.forwardedKeys
  ],
  waggle_republished: ['Entries that are republished', ({ stats }) => stats.republished],
  waggle_peers: ['Connected peers', ({ stats }) => stats.peers],
  waggle_known_peers: ['Servers in the routing table', ({ stats }) => stats.knownPeers],
  waggle_dials: [
    'Dials since the start of peers that were needed and not connected',
    ({ stats }) => stats.dials
  ],
  waggle_refused_dials: [
    'Dials since the start that peers without room refused',
    ({ stats }) => stats.refusedDials
  ],
  waggle_disconnected_peers: [
    'Peers disconnected since the start because too many were connected',
    ({ stats }) => stats.disconnectedPeers
  ],
  waggle_avoided_peers: [
    'Peers that are asked last because they failed lately',
    ({ avoidedPeers }) => avoidedPeers
  ],
  waggle_clock_skew_seconds: [
    "Median seconds by which the peers' clocks are ahead of this one",
    ({ stats }) => (stats.clockSkewMs ?? 0) / 1000
  ],
  waggle_requests_waiting: [
    'Requests to peers that are not sent yet',
    ({ requestsWaiting }) => requestsWaiting
  ],
  waggle_requests_in_flight: [
    'Requests to peers that are not answered yet',
    ({ requestsInFlight }) => requestsInFlight
  ],
  waggle_planned_refreshes: [
    'Cached records that will be read again before they expire',
    ({ plannedRefreshes }) => plannedRefreshes
  ],
  waggle_disk_pending_records: [
    'Changed records that are not on disk yet',
    ({ stats }) => stats.persistence?.pending ?? 0
  ],
  waggle_disk_failing: [
    '1 while the disk fails',
    ({ stats }) => Number(stats.persistence?.state === 'failing')
  ]
}

/**
 * Registers figures that are read only when they are collected. `read` returns undefined while the
 * node is stopped.
 */
export function registerGauges(
  metrics: Metrics | undefined,
  read: () => Readings | undefined
): void {
  for (const [name, [help, figureOf]] of Object.entries(GAUGES)) {
    metrics?.registerMetric(name, {
      help,
      calculate() {
        const readings = read()
        return readings === undefined ? 0 : figureOf(readings)
      }
    })
  }
}
