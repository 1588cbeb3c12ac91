import type { AbortOptions, Libp2p } from '@libp2p/interface'
import { raceSignal } from 'race-signal'

/** Listening address of a node that is reached through any relay. */
export const RELAYED_ADDRESS = '/p2p-circuit'

/** Listening address of a page that other pages reach through any relay. */
export const PAGE_ADDRESS = '/webrtc'

/** Resolves once others can dial the node through a relay; rejects with the signal's reason. */
export async function whenRelayed(node: Libp2p, { signal }: AbortOptions): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const onUpdate = (): void => {
    if (isRelayed(node)) {
      resolve()
    }
  }
  node.addEventListener('self:peer:update', onUpdate)
  onUpdate()

  try {
    await raceSignal(promise, signal)
  } finally {
    node.removeEventListener('self:peer:update', onUpdate)
  }
}

function isRelayed(node: Libp2p): boolean {
  return node.getMultiaddrs().some((address) => address.toString().includes(RELAYED_ADDRESS))
}
