import type { DHTId } from '../keys/dht-id.ts'
import { type NodeContact, pointOf } from '../peers/node-contact.ts'
import type { RoutingTable } from '../peers/routing-table.ts'
import { type Lookups, Search } from '../waggle-parts.ts'

export interface NodeSearchInit {
  readonly routing: RoutingTable
  readonly lookups: Lookups

  /** This node. It takes part in the search unless it is a client. */
  readonly self: NodeContact
  readonly clientMode: boolean
}

/** Kademlia's search by node ids. If this node takes part, it counts as having responded from the start. */
export function nodeSearch(
  { routing, lookups, self, clientMode }: NodeSearchInit,
  target: DHTId,
  count: number
): Search {
  const search = new Search({
    ...{ target, count, pointOf },
    nearest: (point, most) => routing.nearest(point, most),
    rankOf: (contact, referrer) => lookups.ranking.rankOf(contact, referrer)
  })
  search.add([self])

  if (clientMode) {
    search.exclude(self)
  } else {
    search.recordResponse(self)
  }

  return search
}
