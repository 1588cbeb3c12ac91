import type { Metrics } from '@libp2p/interface'
import type { Stats } from './stats.ts'

/** What there is to read off a node at any moment. */
export interface Readings {
  readonly stats: Stats
  readonly avoidedPeers: number
  readonly plannedRefreshes: number
  readonly questionsWaiting: number
  readonly questionsUnderWay: number
}

type Gauge = readonly [help: string, read: (readings: Readings) => number]

const GAUGES: Readonly<Record<string, Gauge>> = {
  waggle_records: ['Records held for others', ({ stats }) => stats.records],
  waggle_record_bytes: ['Bytes of records held for others', ({ stats }) => stats.bytes],
  waggle_cached_records: ['Records remembered', ({ stats }) => stats.cachedRecords],
  waggle_cached_bytes: ['Bytes of records remembered', ({ stats }) => stats.cachedBytes],
  waggle_republished: ['Entries kept alive', ({ stats }) => stats.republished],
  waggle_peers: ['Peers connected to', ({ stats }) => stats.peers],
  waggle_known_peers: ['Servers of the network that are known', ({ stats }) => stats.knownPeers],
  waggle_avoided_peers: [
    'Peers that failed lately and are asked last',
    ({ avoidedPeers }) => avoidedPeers
  ],
  waggle_clock_skew_seconds: [
    "Seconds by which the peers' clocks are ahead of this one, in the median",
    ({ stats }) => (stats.clockSkewMs ?? 0) / 1000
  ],
  waggle_questions_waiting: [
    'Questions to peers that are not sent yet',
    ({ questionsWaiting }) => questionsWaiting
  ],
  waggle_questions_under_way: [
    'Messages to peers that are not answered yet',
    ({ questionsUnderWay }) => questionsUnderWay
  ],
  waggle_planned_refreshes: [
    'Remembered records to be read anew',
    ({ plannedRefreshes }) => plannedRefreshes
  ],
  waggle_disk_pending_records: [
    'Records that have changed and are not on disk yet',
    ({ stats }) => stats.persistence?.pending ?? 0
  ],
  waggle_disk_failing: [
    '1 while the disk fails',
    ({ stats }) => Number(stats.persistence?.state === 'failing')
  ]
}

/** Registers what is read off only when somebody collects it; `read` gives undefined while the node is stopped. */
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
