/** Wrong usage: exit code 2. The message shows the correct usage. */
export class UsageError extends Error {
  static override readonly name = 'UsageError'
  override readonly name = 'UsageError'
}

/** A command that failed: exit code 1. The message suggests a fix. */
export class CommandError extends Error {
  static override readonly name = 'CommandError'
  override readonly name = 'CommandError'
}

/** Exit code of success. */
export const DONE = 0

/** Exit code when something was not found, was refused, or failed. */
export const FAILED = 1

/** Exit code of wrong usage. */
export const WRONG_USAGE = 2

/** Exit code when too few servers responded to determine whether a key exists, or none to a write. */
export const UNREACHABLE = 3

/** Converts any thrown value to an Error. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}
