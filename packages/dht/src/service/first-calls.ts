import type { PeerId } from '@libp2p/interface'
import { nextTask } from '../timing/end-of-turn.ts'
import type { ServiceParts } from './service-parts.ts'

/**
 * Milliseconds for which the first calls of a program come before the dials to its neighbours: all would share one
 * processor, and code that runs for the first time.
 */
const MAX_FIRST_CALLS_MS = 250

/** Discovers the peers that a joined peer knows, once the calls that begin with the join are done. */
export async function discoverAfterCalls(
  peer: PeerId,
  parts: Pick<ServiceParts, 'lifetime' | 'lookups' | 'networkMerge'> | undefined
): Promise<void> {
  await nextTask()
  await parts?.lookups.idle(MAX_FIRST_CALLS_MS)

  if (parts?.lifetime.aborted === false) {
    parts.networkMerge.discover(peer)
  }
}
