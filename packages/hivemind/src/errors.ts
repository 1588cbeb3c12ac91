/** The bytes are not MessagePack that Python Hivemind can read, or not the expected message. */
export class MalformedBytesError extends Error {
  static override readonly name = 'MalformedBytesError'
  override readonly name = 'MalformedBytesError'
}

/** Converts a thrown value to an Error. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown })
}

/** A peer replied that its procedure failed. The message contains the peer's text. */
export class RemoteError extends Error {
  static override readonly name = 'RemoteError'
  override readonly name = 'RemoteError'
}

/** With `strict`: an initial peer could not connect to this node, so other peers could not read its records. */
export class ReachabilityError extends Error {
  static override readonly name = 'ReachabilityError'
  override readonly name = 'ReachabilityError'
}
