import { doorOf } from '../door/door.ts'
import type { ExchangeClient } from '../exchange/exchange-client.ts'
import { partsOf } from '../kad/node-parts.ts'
import type { Lookups } from '../lookup/lookups.ts'
import type { CachedReads } from '../reading/cached-reads.ts'
import type { GatewayFallback } from '../reading/gateway-fallback.ts'
import type { Replicas } from '../reading/replicas.ts'
import { WatchClient } from '../watch/watch-client.ts'
import { Watches } from '../watch/watches.ts'
import type { PeerParts } from './peer-parts.ts'
import type { PartsInit } from './service-init.ts'

/** The parts that watching uses. */
export interface WatchingParts extends Pick<PeerParts, 'client'> {
  readonly gatewayFallback: GatewayFallback
  readonly exchange: ExchangeClient
  readonly lookups: Lookups
  readonly reads: CachedReads
  readonly replicas: Replicas
}

/** Creates the parts that watch keys at other peers. */
export function createWatches(
  { components, limits, numReplicas }: PartsInit,
  { gatewayFallback, client, exchange: records, lookups, replicas, reads }: WatchingParts
): { watches: Watches; watchClient: WatchClient } {
  const { store } = partsOf(components)
  const log = components.logger.forComponent('waggle:watch')
  const watchClient = new WatchClient({
    ...{ ...client, log, store, records },
    onChange: (place, record) => watches.onChange(place, record),
    onLost: (peer) => watches.onLost(peer)
  })
  const watches = new Watches({
    ...{ channel: watchClient, log, numReplicas, replicas, store, known: replicas.known },
    gateways: gatewayFallback,
    delegated: doorOf(components).delegated,
    maxForwardedKeys: limits.maxForwardedKeys,
    inTime: (peer, answer) => lookups.inTime(peer, answer),
    onLearned: (...learned) => reads.onWatched(...learned),
    readLatest: async (key, cancellation, subkey) =>
      reads.read(key, { latest: true, cancellation, subkey })
  })
  return { watches, watchClient }
}
