import type { NodeIdentity } from '../door/door.ts'
import type { RecordStore } from '../store/record-store.ts'
import type { KadInternals } from './internals.ts'
import type { ModeSwitch } from './mode-switch.ts'
import type { StreamProgress } from './stream-progress.ts'

/** Parts that `waggleKadDHT()` and `waggle()` of one libp2p node share. */
export interface NodeParts {
  readonly kad: KadInternals
  readonly mode: ModeSwitch

  /** The progress of plain kad-dht peers with their responses. */
  readonly progress: StreamProgress
  readonly store: RecordStore
}

const partsOfNodes = new WeakMap<object, NodeParts>()

/** @throws Error when the node has a `waggleKadDHT()` already: records of two networks would mix */
export function assertNoParts({ events }: NodeIdentity): void {
  if (partsOfNodes.has(events)) {
    throw new Error(
      'a libp2p node can have only one waggleKadDHT(): make a second node for the second network, or use a plain kadDHT() there'
    )
  }
}

export function registerParts({ events }: NodeIdentity, parts: NodeParts): void {
  partsOfNodes.set(events, parts)
}

/**
 * Returns the parts that `waggleKadDHT()` registered in the same node.
 *
 * @throws Error when the node has none
 */
export function partsOf({ events }: NodeIdentity): NodeParts {
  const parts = partsOfNodes.get(events)

  if (parts === undefined) {
    throw new Error(
      'waggle() needs waggleKadDHT() among the services of the same libp2p node: services: { dht: waggleKadDHT(), waggle: waggle(), … }'
    )
  }

  return parts
}
