/** Who held a record and who should now, as one of them sees it. Nearest first, itself included. */
export interface Change<P> {
  readonly self: P

  /** The nearest peers when this node last looked. */
  readonly before: readonly P[]

  /** The nearest peers now. */
  readonly after: readonly P[]

  /** Whether a peer is still there, near enough or not. */
  readonly isThere: (peer: P) => boolean

  /** Whether a peer came so lately that others may still have been handing over to it. */
  readonly isFresh: (peer: P) => boolean

  /** Whether a peer had been given all that it should hold when another one came. */
  readonly wasReady: (peer: P, newcomer: P) => boolean
}

/**
 * The peers to which this node has to hand over the key's record (N7): those that are among the
 * nearest only now. Of the peers that held it when such a one came, and are still there, the nearest
 * does it and no other, so that a record is sent to each new owner once, however many join. When
 * one of those that held it is gone, it may have left its work undone, so that fresh peers are given
 * the record once more.
 */
export function newOwners<P>({ self, before, after, ...is }: Change<P>): P[] {
  const hasLoss = before.some((peer) => peer !== self && !is.isThere(peer))
  const isOwed = (peer: P): boolean => !before.includes(peer) || (hasLoss && is.isFresh(peer))
  const sender = (newcomer: P): P =>
    before.find((peer) => peer === self || (is.isThere(peer) && is.wasReady(peer, newcomer))) ??
    self

  return after.filter((peer) => peer !== self && isOwed(peer) && sender(peer) === self)
}

/**
 * The peers to which this node brings the record now and then, changed or not: the nearest one to
 * all others, in case one of them has lost it, and the second one to the nearest.
 */
export function replicationTargets<P>(self: P, [first, ...others]: readonly P[]): P[] {
  if (self === first) {
    return others
  }

  return self === others[0] && first !== undefined ? [first] : []
}
