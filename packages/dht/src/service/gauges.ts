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
  waggle_publications: ['Values that this node keeps alive', ({ stats }) => stats.publications],
  waggle_peers: ['Connected peers', ({ stats }) => stats.peers],
  waggle_known_peers: ['Servers in the routing table', ({ stats }) => stats.knownPeers],
  waggle_refused_dials: [
    'Dials since the start that peers refused because they had no room',
    ({ stats }) => stats.refusedDials
  ],
  waggle_disconnected_peers: [
    'Peers disconnected since the start because too many were connected',
    ({ stats }) => stats.disconnectedPeers
  ],
  waggle_avoided_peers: [
    'Peers that are queried last because they failed recently',
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
    'Requests to peers without a response yet',
    ({ requestsInFlight }) => requestsInFlight
  ],
  waggle_planned_refreshes: [
    'Cached records in use that will be read again',
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

type Counts = Readonly<Record<string, number>>

/** Cumulative counts, by a label. */
const COUNTERS: Readonly<
  Record<string, readonly [label: string, help: string, read: (stats: Stats) => Counts]>
> = {
  waggle_dials_total: [
    'task',
    'Dials of peers that were needed and not connected',
    ({ dialsByTask }) => dialsByTask
  ],
  waggle_served_keys_total: [
    'kind',
    'Keys that peers asked about or stored',
    ({ served }) => served.keys
  ],
  waggle_served_writes_total: [
    'outcome',
    'Records that peers stored or handed over here, by the answer',
    ({ served }) => served.writes
  ],
  waggle_served_refused_total: [
    'reason',
    'Requests and streams of peers that were refused',
    ({ served }) => served.refused
  ],
  waggle_served_bytes_total: [
    'to',
    'Bytes sent to peers for their requests',
    ({ served }) => ({ peers: served.bytes })
  ],
  waggle_changes_told_total: [
    'to',
    'Changes sent to watching peers',
    ({ served }) => ({ peers: served.changes })
  ]
}

/** Returns the growth of counts since the last call, which libp2p adds to a counter. */
function growth(read: () => Counts | undefined): () => Record<string, number> {
  let last: Counts = {}
  return () => {
    const before = last
    last = read() ?? before
    return Object.fromEntries(
      // A restarted node counts from zero.
      Object.entries(last).map(([name, count]) => [name, Math.max(count - (before[name] ?? 0), 0)])
    )
  }
}

/**
 * Registers metrics that are read only when they are collected. `read` returns undefined while the node is stopped.
 */
export function registerGauges(
  metrics: Metrics | undefined,
  read: () => Readings | undefined
): void {
  for (const [name, [label, help, countsOf]] of Object.entries(COUNTERS)) {
    const counts = (): Counts | undefined => {
      const readings = read()
      return readings && countsOf(readings.stats)
    }
    metrics?.registerCounterGroup(name, { label, help, calculate: growth(counts) })
  }

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
