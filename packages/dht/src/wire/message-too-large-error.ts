/**
 * A message is larger than its protocol allows. It is not sent; one that comes ends the stream, and is
 * no violation: a peer of another version or with other limits may mean well.
 */
export class MessageTooLargeError extends Error {
  static override readonly name = 'MessageTooLargeError'
  override readonly name = 'MessageTooLargeError'

  constructor(bytes: number, maxBytes: number) {
    super(`a message has ${bytes} bytes, at most ${maxBytes} are allowed`)
  }
}
