/** The command was written wrong: exit code 2. The message says how to write it. */
export class UsageError extends Error {
  static override readonly name = 'UsageError'
  override readonly name = 'UsageError'
}

/** The command was understood, and could not be done: exit code 1. The message says what to do. */
export class CommandError extends Error {
  static override readonly name = 'CommandError'
  override readonly name = 'CommandError'
}

/** Done. */
export const DONE = 0

/** Not found, refused, or failed. */
export const FAILED = 1

/** Written wrong. */
export const WRONG_USAGE = 2

/** Whatever was thrown, as an Error. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}
