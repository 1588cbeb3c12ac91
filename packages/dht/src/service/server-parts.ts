import { serveAsDialable } from '#dialable-server'
import { clockServer } from '../clock/clock-server.ts'
import { doorOf } from '../door/door.ts'
import { ExchangeServer } from '../exchange/exchange-server.ts'
import { partsOf } from '../kad/node-parts.ts'
import { pointOfKey } from '../peers/key-space.ts'
import { cachePolicy } from '../reading/cache-policy.ts'
import { HotKeys } from '../reading/hot-keys.ts'
import { compareServer } from '../upkeep/compare-server.ts'
import { WatchServer } from '../watch/watch-server.ts'
import type { Watches } from '../watch/watches.ts'
import { ProtocolServer } from '../wire/protocol-server.ts'
import { Served } from '../wire/served.ts'
import type { LookupParts } from './lookup-parts.ts'
import type { PartsInit } from './service-init.ts'

interface ServersInit extends LookupParts {
  readonly watches: Pick<Watches, 'forwarded'>
}

export interface Servers {
  readonly server: ProtocolServer
  readonly watchServer: WatchServer

  /** Counts the node's work for other peers. */
  readonly served: Served

  /** Serves other peers from now on. */
  serve(): Promise<void>

  /** Serves them records and watches only. */
  serveRecords(): Promise<void>

  /** Stops serving. */
  stopServing(): Promise<void>
}

/** Creates the parts that serve other peers. */
export function createServers(init: PartsInit, parts: ServersInit): Servers {
  const { components, limits, numReplicas, serveGateway } = init
  const { access, caches, goodbyes, routing, watches } = parts
  const { registrar } = components
  const { store } = partsOf(components)
  // All protocols share one scheduler, so a peer gains nothing by using several.
  const door = doorOf(components)
  const { buffers, scheduler } = door
  const served = new Served()
  const watchServer = new WatchServer({
    ...{ store, routing, numReplicas, served, serveGateway, forwarded: watches.forwarded },
    maxWatchersPerKey: limits.maxWatchersPerKey,
    maxConnections: () => components.connectionManager.getMaxConnections()
  })
  const server = new ProtocolServer({
    ...{ access, buffers, limits, scheduler, served, network: store.network },
    onViolation: (peer, error) => door.reportViolation(peer, error)
  })
  const exchange = new ExchangeServer({
    ...{ access, store, ...caches, routing, served },
    isReplicaOf: (key) => parts.replicas.known.isReplicaOf(key),
    isSettled: (key) => routing.isSettled(pointOfKey(key), numReplicas),
    onRead: countReads(init, parts),
    onForgery: (peer, error) => door.forgive(peer, error),
    onGoodbye: (peer, reason) => goodbyes().hear(peer, reason)
  })
  const serveRecords = async (): Promise<void> => {
    await server.handle(registrar, exchange)
    await server.handle(registrar, watchServer)
    await server.handle(registrar, clockServer(store.clock))
    await server.handle(registrar, compareServer(store))
  }
  return {
    ...{ server, served, watchServer, serveRecords },
    async serve() {
      await serveRecords()
      await serveAsDialable(init, { ...parts, served, server })
    },
    stopServing: () => server.unhandle(registrar)
  }
}

/** Returns a callback that counts others' reads and sends copies; undefined if this node sends none. */
function countReads(
  { cache, numReplicas }: PartsInit,
  { replicas, routing }: LookupParts
): ((key: Uint8Array) => void) | undefined {
  if (cache === false || cachePolicy(cache).nearest === 0) {
    return undefined
  }

  const hotKeys = new HotKeys({
    ...{ routing, numReplicas },
    held: (key) => replicas.known.held(key),
    send: (key, record, to) => replicas.cacheOnPath(key, record, to)
  })
  return (key) => hotKeys.count(key)
}
