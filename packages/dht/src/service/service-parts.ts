import { AbortError } from '@libp2p/interface'
import { setMaxListeners } from 'main-event'
import type { Clocks } from '../clock/clocks.ts'
import type { Goodbyes } from '../connections/goodbyes.ts'
import type { NetworkMerge } from '../discovery/network-merge.ts'
import { doorOf } from '../door/door.ts'
import type { ExchangeClient } from '../exchange/exchange-client.ts'
import { guardRecords } from '../kad/guard-records.ts'
import { type NodeParts, partsOf } from '../kad/node-parts.ts'
import type { Lookups } from '../lookup/lookups.ts'
import { Publications } from '../operations/publications.ts'
import type { CachedReads } from '../reading/cached-reads.ts'
import type { Replicas } from '../reading/replicas.ts'
import { sweepRegularly } from '../store/sweep.ts'
import { CompareClient } from '../upkeep/compare-client.ts'
import type { Upkeep } from '../upkeep/upkeep.ts'
import type { Watches } from '../watch/watches.ts'
import { sleepDetector } from './after-sleep.ts'
import type { Caches } from './caches.ts'
import { changeMode } from './change-mode.ts'
import { createClockParts } from './clock-parts.ts'
import { ConnectionParts } from './connection-parts.ts'
import { createLookup, createReads } from './lookup-parts.ts'
import { joinPages } from './page-parts.ts'
import { followNetwork, type PeerParts } from './peer-parts.ts'
import { createServers, type Servers } from './server-parts.ts'
import type { PartsInit } from './service-init.ts'
import { createNetworkMerge, createUpkeep } from './upkeep-parts.ts'
import { createWatches } from './watch-parts.ts'

/** Parts of a started service. */
export interface ServiceParts
  extends Omit<NodeParts, 'progress'>,
    Omit<Servers, 'server'>,
    PeerParts {
  readonly networkMerge: NetworkMerge
  readonly connections: ConnectionParts
  readonly exchange: ExchangeClient
  readonly lookups: Lookups
  readonly caches: Caches
  readonly clocks: Clocks
  readonly reads: CachedReads
  readonly replicas: Replicas
  readonly publications: Publications
  readonly upkeep: Upkeep
  readonly watches: Watches

  /** Aborted when the service stops. */
  readonly lifetime: AbortSignal

  /** Follows kad-dht's mode: a node that becomes a client stops serving, and passes on its records. */
  becomes(mode: 'client' | 'server'): Promise<void>

  /** Starts to follow events. */
  follow(): Promise<void>
  stop(): void
}

/** Creates the parts of one node's service, and passes each part the others that it uses. */
export function serviceParts(init: PartsInit): ServiceParts {
  const { components, events, limits, requestTimeoutMs } = init
  const { kad, mode, store } = partsOf(components)
  const stopping = new AbortController()
  const lifetime = stopping.signal
  setMaxListeners(Number.POSITIVE_INFINITY, lifetime) // Each listener to events is one of it, too.
  const door = doorOf(components)
  door.open({ limits, lifetime, onViolation: (peer, error) => peers.ban(peer, error) })
  const found = createLookup(init, (): Goodbyes => connections.goodbyes)
  const { caches, client, exchange, lookups, peers, protocols } = found
  const reads = createReads(init, found)
  const { watches, watchClient } = createWatches(init, { ...found, reads })
  const { clocks, clockTrust } = createClockParts(init, client, lifetime)
  const publications = new Publications(store.clock)
  const compare = new CompareClient({ ...client, records: exchange })
  protocols.push(watchClient, compare)
  const { server, ...servers } = createServers(init, { ...found, watches })
  const connections = new ConnectionParts({
    ...{ ...found, components, connections: init.connections, lifetime, requestTimeoutMs, server },
    clients: [watchClient, compare, found.gateways]
  })
  const networkMerge = createNetworkMerge(init, { ...found, connections }, lifetime)
  const upkeep = createUpkeep(init, { ...found, compare, networkMerge })
  const pages = joinPages(init, { ...found, cache: caches.cache, servers, upkeep })
  const sleep = sleepDetector(components, {
    ...{ clock: store.clock, clocks, clockTrust, events, liveness: found.liveness },
    caches: [caches.cache, caches.copies],
    ...{ replicas: found.replicas, publications, routing: found.routing, upkeep, watches }
  })

  return {
    ...{ ...found, clocks, connections, kad, lifetime, mode, networkMerge },
    ...{ reads, publications, store, upkeep, watches, ...servers },
    becomes: (mode) => changeMode(mode, { ...found, components, lifetime, servers, upkeep }),
    async follow() {
      sleep.follow(lifetime)
      events.addEventListener('peer:connect', () => publications.onPeer(), { signal: lifetime })
      sweepRegularly([store, ...Object.values(caches)], lifetime, () => sleep.check())
      clocks.follow(lifetime)
      guardRecords(kad, found.access, lifetime)
      upkeep.follow(events, lifetime)
      watches.follow(events, lifetime)
      connections.follow()
      await Promise.all([pages?.follow(lifetime), followNetwork(components, found, lifetime)])
    },
    stop() {
      stopping.abort(new AbortError('the node was stopped'))
      reads.close()
      publications.stop()
      watches.stop()
      servers.watchServer.stop()

      for (const part of [watchClient, exchange, compare, found.gateways, clocks, lookups]) {
        part.close()
      }
    }
  }
}
