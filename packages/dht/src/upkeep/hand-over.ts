/**
 * The replicas of a record before and after peers came or went, from the view of one of them. Nearest first, itself
 * included.
 */
export interface OwnerChange<P> {
  readonly self: P

  /** The nearest peers at the last pass. */
  readonly before: readonly P[]

  /** The nearest peers now. */
  readonly after: readonly P[]

  /** Whether a peer is still present, at any distance. */
  readonly isThere: (peer: P) => boolean

  /** Whether a peer came so recently that hand-overs to it may not have finished. */
  readonly isFresh: (peer: P) => boolean

  /** Whether a peer had all records that it should store when another one came. */
  readonly wasReady: (peer: P, newcomer: P) => boolean
}

/**
 * Returns the peers to which this node hands over the key's record (N7): those that have become one of the nearest.
 * Of the replicas that had the record when such a peer came and that are still present, only the nearest sends it,
 * so that each new owner gets it once, however many peers join. When a replica has gone, its hand-overs may be
 * unfinished, and fresh peers get the record once more.
 */
export function newOwners<P>({ self, before, after, ...is }: OwnerChange<P>): P[] {
  const hasLoss = before.some((peer) => peer !== self && !is.isThere(peer))
  const isOwed = (peer: P): boolean => !before.includes(peer) || (hasLoss && is.isFresh(peer))
  const sender = (newcomer: P): P =>
    before.find((peer) => peer === self || (is.isThere(peer) && is.wasReady(peer, newcomer))) ??
    self

  return after.filter((peer) => peer !== self && isOwed(peer) && sender(peer) === self)
}

/**
 * Returns the peers to which this node sends the record at intervals, changed or not. The nearest replica sends it
 * to all others, in case one of them has lost it, and the second to the nearest.
 */
export function replicationTargets<P>(self: P, [first, ...others]: readonly P[]): P[] {
  if (self === first) {
    return others
  }

  return self === others[0] && first !== undefined ? [first] : []
}
