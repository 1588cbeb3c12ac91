import type { PeerInfo } from '@libp2p/interface'
import { pointOfKey } from '../peers/key-space.ts'
import type { Routing } from '../peers/routing.ts'

/** Forwarders to choose from at least: a crowd that comes at once finds room. */
export const MIN_CANDIDATES = 16

export interface ForwarderChoice {
  readonly routing: Routing
  readonly numReplicas: number

  /** Names of the key's present forwarders, and how many of them it has places for. */
  readonly present: ReadonlySet<string>
  readonly max: number

  /** @default Math.random */
  readonly random?: () => number
}

/**
 * Chooses peers that may forward the changes of a key to one watcher, in the order in which it is to ask
 * them: one that forwards them already, then others. A watcher hears of several present forwarders, as it
 * asks several replicas; there is to be another one only if these have no room. The candidates are the
 * nearest peers behind the replicas, which these know best, twice as many as there are forwarders.
 */
export function chooseForwarders(
  key: Uint8Array,
  { routing, numReplicas, present, max, random = Math.random }: ForwarderChoice
): PeerInfo[] {
  const count = Math.max(MIN_CANDIDATES, 2 * present.size)
  const candidates = routing
    .nearest(pointOfKey(key), numReplicas + count)
    .slice(numReplicas)
    .map((peer) => ({ peer, isPresent: present.has(peer.id.toString()), order: random() }))
    .sort((a, b) => a.order - b.order)
  const first = candidates.find(({ isPresent }) => isPresent)
  const others = present.size < max ? candidates.filter(({ isPresent }) => !isPresent) : []
  return (first === undefined ? others : [first, ...others]).map(({ peer }) => peer)
}
