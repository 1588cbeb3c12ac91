import { setTimeout as passed } from 'node:timers/promises'
import type { DHT } from '@waggle/dht'

/** Kademlia's k: peers that make up a node's complete neighbourhood. */
const NEIGHBOURS = 20

/** Nodes that look up their neighbours at the same time: more would only slow each other down. */
const AT_ONCE = 4
const PAUSE_MS = 20

/** Time limit. Settling is not measured, and a busy machine is slow. */
const PATIENCE_MS = 300_000

/** Makes nodes look up their own ids until each knows all others, or 20 of them. */
export async function settle(nodes: readonly DHT[], others: number): Promise<void> {
  const start = performance.now()

  for (let left = nodes; left.length > 0; left = unsettled(nodes, others)) {
    if (performance.now() - start > PATIENCE_MS) {
      throw new Error(`${left.length} nodes know too few of ${others} others`)
    }

    await inGroups(left, AT_ONCE, (node) => lookUp(node))
    // Queried peers complete identify a moment later.
    await passed(PAUSE_MS)
  }
}

/** Returns the nodes that do not know their neighbourhood yet. */
export function unsettled(nodes: readonly DHT[], others: number): DHT[] {
  return nodes.filter((node) => node.stats().knownPeers < Math.min(others, NEIGHBOURS))
}

/** Looks up the peers nearest to a key, by default those nearest to the node itself. */
export async function lookUp(node: DHT, key: string = node.peerId.toString()): Promise<void> {
  await node.findNearestPeers(key, { count: NEIGHBOURS, timeoutMs: PATIENCE_MS })
}

/** Applies a function to all items, `size` of them at a time. */
export async function inGroups<T>(
  items: readonly T[],
  size: number,
  apply: (item: T) => Promise<void>
): Promise<void> {
  for (let i = 0; i < items.length; i += size) {
    await Promise.all(items.slice(i, i + size).map(apply))
  }
}
