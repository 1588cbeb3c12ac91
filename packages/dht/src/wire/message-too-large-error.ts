/**
 * A message exceeds its protocol's maximum size. It is not sent; a received one ends the stream, but is not a
 * violation, because a peer of another version or with other limits may be honest.
 */
export class MessageTooLargeError extends Error {
  static override readonly name = 'MessageTooLargeError'
  override readonly name = 'MessageTooLargeError'

  constructor(bytes: number, maxBytes: number) {
    super(`a message has ${bytes} bytes, at most ${maxBytes} are allowed`)
  }
}
