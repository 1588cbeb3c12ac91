import {
  type ContentRouting,
  contentRoutingSymbol,
  NotFoundError,
  type PeerId
} from '@libp2p/interface'
import type { QueryEvent } from '@libp2p/kad-dht'
import { DEFAULT_NUM_REPLICAS } from '../constants.ts'
import { overriding } from '../door/overriding.ts'
import { UnreachableError } from '../errors.ts'
import { hasQuorum, type NearServer } from '../lookup/quorum.ts'
import { pointOfKey, pointOfPeer, roughDistance } from '../peers/key-space.ts'
import type { KadInternals } from './internals.ts'

type Get = ContentRouting['get']

/**
 * Makes `contentRouting.get` distinguish an absent key from one whose servers do not respond (N11). kad-dht itself
 * rejects with a `NotFoundError` in both cases.
 */
export function distinguishUnreachable(kad: KadInternals, self: PeerId): void {
  const routing = Reflect.get(kad, contentRoutingSymbol) as ContentRouting | undefined

  if (routing !== undefined) {
    const get: Get = async (key, options) => {
      const servers = new QueriedServers()

      for await (const event of kad.get(key, options)) {
        if (event.name === 'VALUE') {
          return event.value
        }

        servers.take(event)
      }

      if (kad.getMode() === 'server') {
        servers.add(
          self,
          kad.routingTable.closestPeers(pointOfKey(key), { count: DEFAULT_NUM_REPLICAS })
        )
      }

      servers.assertEnough(key)
      throw new NotFoundError('nothing is stored under the key')
    }
    const value = overriding(routing, { get })
    Object.defineProperty(kad, contentRoutingSymbol, { value, configurable: true })
  }
}

/** The servers that a kad-dht query contacted or learned of. */
class QueriedServers {
  readonly #peers = new Map<string, PeerId>()
  readonly #named = new Map<string, ReadonlySet<string>>()
  #failed = 0

  /** Records an event of the query. */
  take(event: QueryEvent): void {
    if (event.name === 'PEER_RESPONSE') {
      this.add(
        event.from,
        event.closer.map(({ id }) => id)
      )
    } else if (event.name === 'QUERY_ERROR') {
      this.#failed++
      this.#peers.set(event.from.toString(), event.from)
    }
  }

  /** Adds a server that responded, with the servers in its response. */
  add(peer: PeerId, named: readonly PeerId[]): void {
    this.#named.set(peer.toString(), new Set(named.map(String)))

    for (const one of [peer, ...named]) {
      this.#peers.set(one.toString(), one)
    }
  }

  /** @throws UnreachableError when too few of the nearest responded */
  assertEnough(key: Uint8Array): void {
    const point = pointOfKey(key)
    const distanceOf = (peer: PeerId): number => roughDistance(point, pointOfPeer(peer))
    const servers: NearServer[] = [...this.#peers]
      .sort(([, a], [, b]) => distanceOf(a) - distanceOf(b))
      .map(([name]) => {
        const named = this.#named.get(name)
        return { name, hasResponded: named !== undefined, named }
      })

    if (!hasQuorum(servers, DEFAULT_NUM_REPLICAS)) {
      throw new UnreachableError(this.#failed, this.#named.size)
    }
  }
}
