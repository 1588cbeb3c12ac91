/** The bytes are not MessagePack that Python Hivemind can read, or not the message that they should be. */
export class MalformedBytesError extends Error {
  static override readonly name = 'MalformedBytesError'
  override readonly name = 'MalformedBytesError'
}

/** Whatever was thrown, as an Error. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown })
}
