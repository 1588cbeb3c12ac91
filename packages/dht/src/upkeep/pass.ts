import { pointOfKey } from '../peers/key-space.ts'
import { keyOf } from '../store/record-store.ts'
import { newOwners, replicationTargets } from './hand-over.ts'
import { FRESH_MS, SLACK_MS } from './intervals.ts'
import type { MembershipView } from './membership-view.ts'
import type { OwedTransfers } from './owed-transfers.ts'
import type { UpkeepInit } from './upkeep-init.ts'

/** One pass over the records. */
export interface Pass {
  /** The servers at the last pass, this node included. */
  readonly before: MembershipView

  /** The servers now. */
  readonly after: MembershipView

  /** Whether records are sent to their replicas, changed or not. */
  readonly isReplicating: boolean

  /** The start, in ms of the process's clock. */
  readonly startMs: number

  /** The start of the last pass. */
  readonly lastStartMs: number
}

type PassNode = Pick<UpkeepInit, 'numReplicas' | 'self' | 'store'>

/** Lists the peers to which a pass sends a record: its new owners, and owners that are still owed it. */
export function receiversOf(
  name: string,
  pass: Pass,
  { owed, node }: { readonly owed: OwedTransfers; readonly node: PassNode }
): readonly string[] {
  const creditors = owed.to(name)
  const receivers = newOwnersOf(name, pass, node)

  if (creditors.length === 0) {
    return receivers
  }

  const nearest = pass.after.nearest(pointOfKey(keyOf(name)), node.numReplicas)
  return [...new Set([...receivers, ...creditors.filter((peer) => nearest.includes(peer))])]
}

function newOwnersOf(
  name: string,
  { before, after, isReplicating, startMs, lastStartMs }: Pass,
  { numReplicas, self, store }: PassNode
): string[] {
  const own = self.id.toString()
  const point = pointOfKey(keyOf(name))
  const owners = after.nearest(point, numReplicas)

  if (isReplicating) {
    return replicationTargets(own, owners)
  }

  const changedMs = store.changedMs(name)
  const isMisplaced =
    !owners.includes(own) && owners.every((peer) => after.sinceMs(peer) <= changedMs)

  if (isMisplaced && changedMs > lastStartMs) {
    // The writer could not reach the nearest peers.
    return owners
  }

  // A peer that was present when this node got the record is not a newcomer: the writer reached both.
  const sinceMs = store.heldSinceMs(name)
  const known = owners.filter((owner) => before.has(owner) || after.sinceMs(owner) <= sinceMs)
  const others = before.nearest(point, numReplicas).filter((peer) => !known.includes(peer))

  return newOwners({
    self: own,
    before: [...known, ...others],
    after: owners,
    isThere: (peer) => after.has(peer),
    isFresh: (peer) => after.sinceMs(peer) > startMs - FRESH_MS,
    wasReady: (peer, newcomer) => {
      const readyMs = before.has(peer) ? before.readyMs(peer) : after.sinceMs(peer)
      return readyMs + SLACK_MS < after.sinceMs(newcomer)
    }
  })
}
