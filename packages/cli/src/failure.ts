import { constants } from 'node:os'
import { CommandError, FAILED, UNREACHABLE, UsageError, WRONG_USAGE } from './errors.ts'
import { Stop } from './io.ts'

/** The message and the exit code of a command that threw. */
export interface Failure {
  /** Empty when the command prints nothing. */
  readonly message: string
  readonly exitCode: number
}

/** Errors about the arguments, which the caller can correct. */
const WRONG_ARGUMENTS: readonly string[] = [
  'TypeError',
  'InvalidKeyError',
  'InvalidExpirationError',
  'RecordTooLargeError'
]

/** Options of the library that have another name on the command line. */
const OPTION_NAMES: Readonly<Record<string, string>> = {
  identityPath: '--identity',
  clientMode: '--client',
  privateKey: '--identity'
}

/** Options whose names differ in spelling only: `dataDir` and `--data-dir`. */
const OPTIONS =
  /(?<!-)\b(identityPath|privateKey|clientMode|initialPeers|listenOn|announce|dataDir|numReplicas|swarmKey|strictClock|serveRelay|relay|protocol|durability|expirationTime|ttl)\b(?=[:,. ]|$)/g

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

/** Replaces the library's option names in a message by those of the command line. */
function asTyped({ name, message }: Error): string {
  if (name === 'BootstrapError') {
    return `${reasonsIn(message)}\nName one that runs: --initial-peers 10.0.0.1:1337. Start one with: waggle serve`
  }

  return message.replace(OPTIONS, (option) => OPTION_NAMES[option] ?? kebab(option))
}

/** Extracts a BootstrapError's reason for each peer, without its advice to programmers. */
export function reasonsIn(message: string): string {
  const [reasons = ''] = message.split('\nCheck that one of them runs')
  return reasons
}

function kebab(option: string): string {
  return `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

function stopOf(error: Error): Stop | undefined {
  return error instanceof Stop ? error : error.cause instanceof Stop ? error.cause : undefined
}
