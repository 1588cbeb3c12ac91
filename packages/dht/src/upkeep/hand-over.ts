/** Who held a key and who should now, as one of them sees it. Nearest first, itself included. */
export interface Change<P> {
  readonly self: P

  /** The nearest peers when this node last looked. */
  readonly before: readonly P[]

  /** The nearest peers now. */
  readonly after: readonly P[]

  /** Whether a peer is still there, near enough or not. */
  readonly isThere: (peer: P) => boolean
}

/**
 * The peers to which this node has to hand over the key's record (N7): those that are among the
 * nearest only now. Of the peers that held it before and are still there, the nearest one does it
 * and no other, so that a record is sent to each new owner once, however many join.
 */
export function newOwners<P>({ self, before, after, isThere }: Change<P>): P[] {
  const newcomers = after.filter((peer) => peer !== self && !before.includes(peer))

  if (newcomers.length === 0) {
    return []
  }

  const sender = before.find((peer) => peer === self || isThere(peer))
  return sender === self ? newcomers : []
}
