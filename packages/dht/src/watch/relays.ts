import type { PeerInfo } from '@libp2p/interface'
import { pointOfKey } from '../peers/key-space.ts'
import type { Routing } from '../peers/routing.ts'

/** Relays to choose from where there are none yet. */
const MIN_CANDIDATES = 4

export interface RelayChoice {
  readonly routing: Routing
  readonly numReplicas: number

  /** Names of the peers that relay the key already. */
  readonly relays: ReadonlySet<string>

  /** @default Math.random */
  readonly random?: () => number
}

/**
 * Chooses peers that may relay the changes of a key to one watcher: first one that does so already, if
 * there is any, then some that do not. Of several replicas, a watcher gets to know several that do;
 * only if these have no room, there is to be another one. All are among the nearest peers behind the
 * replicas, which these know best, twice as many as there are relays.
 */
export function chooseRelays(
  key: Uint8Array,
  { routing, numReplicas, relays, random = Math.random }: RelayChoice
): PeerInfo[] {
  const size = Math.max(MIN_CANDIDATES, 2 * relays.size)
  const candidates = routing
    .nearest(pointOfKey(key), numReplicas + size)
    .slice(numReplicas)
    .map((peer) => ({ peer, isRelay: relays.has(peer.id.toString()), order: random() }))
    .sort((a, b) => a.order - b.order)
  const [present] = candidates.filter(({ isRelay }) => isRelay)
  const others = candidates.filter(({ isRelay }) => !isRelay)
  return [...(present === undefined ? [] : [present]), ...others].map(({ peer }) => peer)
}
