/** A peer is reachable, but does not serve this network: it belongs to another one, or is a client. */
export class NotAServerError extends Error {
  static override readonly name = 'NotAServerError'
  override readonly name = 'NotAServerError'
}

/** A peer serves this network in another revision of Waggle's protocols. */
export class OtherRevisionError extends Error {
  static override readonly name = 'OtherRevisionError'
  override readonly name = 'OtherRevisionError'
}
