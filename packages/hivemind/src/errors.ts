/** The bytes are not MessagePack that Python Hivemind can read, or not the message that they should be. */
export class MalformedBytesError extends Error {
  static override readonly name = 'MalformedBytesError'
  override readonly name = 'MalformedBytesError'
}

/** Whatever was thrown, as an Error. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown })
}

/** A peer answered that its procedure failed. The message holds what it said. */
export class RemoteError extends Error {
  static override readonly name = 'RemoteError'
  override readonly name = 'RemoteError'
}

/** With `strict`: an initial peer could not connect to this node, so that nobody would find what it holds. */
export class ReachabilityError extends Error {
  static override readonly name = 'ReachabilityError'
  override readonly name = 'ReachabilityError'
}
