import { constants } from 'node:os'
import { CommandError, FAILED, UsageError, WRONG_USAGE } from './errors.ts'
import { Stop } from './io.ts'

/** How a command that threw ends. */
export interface Failure {
  /** Empty if there is nothing to say. */
  readonly message: string
  readonly exitCode: number
}

/** What the caller gave, and could have known to be wrong. */
const WRONG_ARGUMENTS: readonly string[] = [
  'TypeError',
  'InvalidKeyError',
  'InvalidExpirationError',
  'RecordTooLargeError'
]

/** Options of the library that are called otherwise on the command line. */
const OPTION_NAMES: Readonly<Record<string, string>> = {
  identityPath: '--identity',
  clientMode: '--client',
  privateKey: '--identity'
}

/** Those that are called the same, but for the way they are written. */
const OPTIONS =
  /(?<!-)\b(identityPath|privateKey|clientMode|initialPeers|listenOn|announce|dataDir|numReplicas|swarmKey|strictClock|serveRelay|relay|protocol|durability|expirationTime|ttl)\b(?=[:,. ]|$)/g

/** What to say of an error, and with which exit code to end. */
export function failure(error: Error): Failure {
  const stop = stopOf(error)

  if (stop !== undefined) {
    return { message: '', exitCode: 128 + constants.signals[stop.signal] }
  }

  if (error instanceof UsageError || error instanceof CommandError) {
    return { message: error.message, exitCode: error instanceof UsageError ? WRONG_USAGE : FAILED }
  }

  const isOurs = WRONG_ARGUMENTS.includes(error.name)
  return { message: asTyped(error), exitCode: isOurs ? WRONG_USAGE : FAILED }
}

/** The library's messages name its own options: here they are called by their names on the command line. */
function asTyped({ name, message }: Error): string {
  if (name === 'BootstrapError') {
    return `${reasonsIn(message)}\nName one that runs: --initial-peers 10.0.0.1:1337. Start one with: waggle serve`
  }

  return message.replace(OPTIONS, (option) => OPTION_NAMES[option] ?? kebab(option))
}

/** What a BootstrapError says of each peer, without advice to those who write programs. */
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
