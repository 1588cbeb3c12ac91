import type { ServiceParts } from './service-parts.ts'
import type { Stats } from './stats.ts'

/** Returns a running node's current figures. */
export function statsOf(
  { caches, client, clocks, connections, reads, routing, store, ...parts }: ServiceParts,
  others: Pick<Stats, 'peers' | 'misfits' | 'persistence'>
): Stats {
  const remembered = Object.values(caches).filter((cache) => cache !== undefined)
  return {
    records: store.records,
    bytes: store.bytes,
    cachedRecords: remembered.reduce((sum, { records }) => sum + records, 0),
    cachedBytes: remembered.reduce((sum, { bytes }) => sum + bytes, 0),
    cacheHits: reads.hits,
    publications: parts.publications.size,
    watchedKeys: parts.watches.size,
    watchedForOthers: parts.watchServer.size,
    served: parts.served.stats(),
    misfits: others.misfits,
    forwardedKeys: parts.watches.forwarded.size,
    peers: others.peers,
    knownPeers: routing.size,
    dials: client.dialer.dials,
    dialsByTask: client.dialer.dialsByTask,
    refusedDials: client.dialer.refusals,
    disconnectedPeers: connections.budget.closed,
    clockSkewMs: clocks.medianSkewMs,
    persistence: others.persistence
  }
}
