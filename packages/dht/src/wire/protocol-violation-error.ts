/** A peer sent what the protocol does not allow. */
export class ProtocolViolationError extends Error {
  static override readonly name = 'ProtocolViolationError'
  override readonly name = 'ProtocolViolationError'
}
