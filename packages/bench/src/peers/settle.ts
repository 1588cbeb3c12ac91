import { setTimeout as passed } from 'node:timers/promises'
import type { DHT } from '@waggle/dht'

/** Kademlia's k: a node knows its surroundings when it knows so many. */
const SURROUNDINGS = 20

/** More that look around at once only make each other wait. */
const AT_ONCE = 4
const PAUSE_MS = 20

/** It is not measured, and may take long on a busy machine. */
const PATIENCE_MS = 300_000

/** Has nodes look around until each knows as many others as there are, or 20 if there are more. */
export async function settle(nodes: readonly DHT[], others: number): Promise<void> {
  const start = performance.now()

  for (let lonely = nodes; lonely.length > 0; ) {
    if (performance.now() - start > PATIENCE_MS) {
      throw new Error(`${lonely.length} nodes know fewer than ${enoughOf(others)} others`)
    }

    await inGroups(lonely, AT_ONCE, (node) => lookAround(node))
    // Those that were asked identify themselves a moment later.
    await passed(PAUSE_MS)
    lonely = lonelyAmong(nodes, others)
  }
}

/** Those who know too few by what they heard on joining. */
export function lonelyAmong(nodes: readonly DHT[], others: number): DHT[] {
  return nodes.filter((node) => node.stats().knownPeers < enoughOf(others))
}

function enoughOf(others: number): number {
  return Math.min(others, SURROUNDINGS)
}

/** Has a node find out who is near to a key, by default near to itself. */
export async function lookAround(node: DHT, key: string = node.peerId.toString()): Promise<void> {
  await node.findNearestPeers(key, { count: SURROUNDINGS, timeoutMs: PATIENCE_MS })
}

/** Does something with all of them, a few at a time. */
export async function inGroups<T>(
  items: readonly T[],
  size: number,
  apply: (item: T) => Promise<void>
): Promise<void> {
  for (let i = 0; i < items.length; i += size) {
    await Promise.all(items.slice(i, i + size).map(apply))
  }
}
