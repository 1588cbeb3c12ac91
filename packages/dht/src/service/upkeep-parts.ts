import { encodedSize } from '@waggle/record/replica'
import { SEARCH_WIDTH } from '../constants.ts'
import { mergeOnInbound } from '../discovery/merge-on-inbound.ts'
import { ALPHA, type NetworkMerge } from '../discovery/network-merge.ts'
import { partsOf } from '../kad/node-parts.ts'
import type { CancellationToken } from '../timing/cancellation.ts'
import type { CompareClient } from '../upkeep/compare-client.ts'
import { Upkeep } from '../upkeep/upkeep.ts'
import type { ConnectionParts } from './connection-parts.ts'
import type { LookupParts } from './lookup-parts.ts'
import type { PartsInit } from './service-init.ts'

/** Hand-overs are bulk, which other requests may pass. */
const HAND_OVER: CancellationToken = { isCancelled: false, isBulk: true }

/** Neighbours that a client connects to. */
const CLIENT_NEIGHBOURS = 5

interface UpkeepPartsInit extends LookupParts {
  readonly compare: CompareClient
  readonly networkMerge: NetworkMerge
}

const ALWAYS: CancellationToken = { isCancelled: false }

/** Creates the part that hands records over and compares replicas. */
export function createUpkeep(
  { components, meter, numReplicas, role }: PartsInit,
  { compare, exchange, lookups, networkMerge, replicas, routing }: UpkeepPartsInit
): Upkeep {
  const { logger, peerId } = components
  const { store } = partsOf(components)
  return new Upkeep({
    self: { id: peerId, multiaddrs: [] },
    ...{ store, numReplicas, isReplica: () => role.isReplica },
    members: () => routing.members(),
    isNear: (peer) => routing.isNear(peer),
    async send(to, key, record) {
      const options = { closerCount: 0, cancellation: HAND_OVER }
      const { outcome } = await lookups.inTime(to, exchange.store(to, key, record, options))
      meter?.countHandOver(encodedSize(record))
      return outcome
    },
    async holds(peer, key) {
      const asked = exchange.find(peer, key, { closerCount: 0, isCloserAlways: true })
      return (await lookups.inTime(peer, asked)).record !== undefined
    },
    fingerprints: (peer, keys) => lookups.inTime(peer, compare.fingerprints(peer, keys)),
    async reconcile(key) {
      const reading = await replicas.read(key, { latest: true, cancellation: ALWAYS })
      await replicas.repair(key, reading)
    },
    async findNeighbours() {
      // The nearest ones suffice: a peer that joins near this node dials them, too.
      const asked = routing.connectedNeighbours(SEARCH_WIDTH).slice(0, ALPHA)
      await networkMerge.refresh(asked)
      // Records do not wait for peers that are far from them.
      void networkMerge.fillDistances(asked)
    },
    log: logger.forComponent('waggle:upkeep')
  })
}

interface MergePartsInit extends LookupParts {
  readonly connections: ConnectionParts
}

/** Creates the part that finds neighbours, and merges networks. */
export function createNetworkMerge(
  { components, events, requestTimeoutMs, role }: PartsInit,
  { client, connections, exchange: channel, peers, routing }: MergePartsInit,
  lifetime: AbortSignal
): NetworkMerge {
  const { connectionManager, peerId } = components
  return mergeOnInbound(
    {
      ...{ self: peerId, connectionManager, events, channel, peers, routing, requestTimeoutMs },
      dialer: client.dialer,
      // Knowing a neighbour in advance saves upkeep more dials than finding it costs. A client hands nothing over, and
      // needs others only for when it loses those that it uses.
      neighbourCount: () =>
        role.isReplica ? Math.min(SEARCH_WIDTH, 2 * connections.budget.low) : CLIENT_NEIGHBOURS
    },
    lifetime
  )
}
