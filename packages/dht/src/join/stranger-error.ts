/** A peer is there, but does not serve our network: it is of another one, or a client. */
export class StrangerError extends Error {
  static override readonly name = 'StrangerError'
  override readonly name = 'StrangerError'
}
