/** A peer sent what the exchange protocol does not allow. */
export class ExchangeProtocolError extends Error {
  static override readonly name = 'ExchangeProtocolError'
  override readonly name = 'ExchangeProtocolError'
}
