/** A peer sent data that the protocol does not allow. */
export class ProtocolViolationError extends Error {
  static override readonly name = 'ProtocolViolationError'
  override readonly name = 'ProtocolViolationError'
}
