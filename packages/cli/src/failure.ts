import { constants } from 'node:os'
import { CommandError, FAILED, UNREACHABLE, UsageError, WRONG_USAGE } from './errors.ts'
import { Stop } from './io.ts'
import { withFlags } from './text/flags.ts'

/** The message and the exit code of a command that threw. */
export interface Failure {
  /** Empty when the command prints nothing. */
  readonly message: string
  readonly exitCode: number
}

/** Names of errors about arguments, which the caller can correct. */
const WRONG_ARGUMENTS: readonly string[] = [
  'TypeError',
  'InvalidKeyError',
  'InvalidExpirationError',
  'RecordTooLargeError'
]

/** Chooses the message and the exit code for an error. */
export function failure(error: Error): Failure {
  const stop = stopOf(error)

  if (stop !== undefined) {
    return { message: '', exitCode: 128 + constants.signals[stop.signal] }
  }

  if (error instanceof UsageError || error instanceof CommandError) {
    return { message: error.message, exitCode: error instanceof UsageError ? WRONG_USAGE : FAILED }
  }

  return { message: asTyped(error), exitCode: exitCodeOf(error) }
}

function exitCodeOf({ name }: Error): number {
  if (WRONG_ARGUMENTS.includes(name)) {
    return WRONG_USAGE
  }

  return name === 'UnreachableError' ? UNREACHABLE : FAILED
}

/** Words the message for users of the command line. */
function asTyped({ name, message }: Error): string {
  return name === 'BootstrapError'
    ? `${reasonsIn(message)}\nName one that runs: --initial-peers 10.0.0.1:1337. Start one with: waggle serve`
    : withFlags(message)
}

/** Extracts a BootstrapError's reason for each peer, without its advice to programmers. */
export function reasonsIn(message: string): string {
  const [reasons = ''] = message.split(/\nCheck that (?:it|one of them) runs/)
  return withFlags(reasons)
}

function stopOf(error: Error): Stop | undefined {
  return error instanceof Stop ? error : error.cause instanceof Stop ? error.cause : undefined
}
