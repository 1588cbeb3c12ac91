import { Command, CommanderError } from 'commander'
import { addCompletion } from './commands/completion.ts'
import { addDashboard } from './commands/dashboard.ts'
import type { Program } from './commands/define.ts'
import { addDelete } from './commands/delete.ts'
import { addExport } from './commands/export.ts'
import { addGet } from './commands/get.ts'
import { addId } from './commands/id.ts'
import { addImport } from './commands/import.ts'
import { addInspect } from './commands/inspect.ts'
import { addParty } from './commands/party.ts'
import { addPeers } from './commands/peers.ts'
import { addPing } from './commands/ping.ts'
import { addServe } from './commands/serve.ts'
import { addStats } from './commands/stats.ts'
import { addStore } from './commands/store.ts'
import { addTop } from './commands/top.ts'
import { addWatch } from './commands/watch.ts'
import { DONE, toError, UsageError, WRONG_USAGE } from './errors.ts'
import { failure } from './failure.ts'
import type { CommandIO } from './io.ts'
import { line } from './text/json.ts'
import { isColourful, paintFor } from './text/paint.ts'
import { suggestion } from './text/suggestion.ts'
import { VERSION } from './version.ts'

/** The character that replaces bytes that are not UTF-8. */
const REPLACED = '\ufffd'

const FIRST_STEPS = `
First steps, in three terminals:
  waggle serve                  start a node; commands on this machine find it
  waggle store greeting hello
  waggle get greeting

Exit codes: 0 success; 1 not found, refused or failed; 2 wrong usage; 3 too few servers answered; 128 + n stopped by signal n.
Details: waggle <command> --help`

/** Runs the command in the arguments and returns its exit code. */
export async function run(args: readonly string[], io: CommandIO): Promise<number> {
  const isJson = args.includes('--json')
  const program = programFor(io, isJson)

  try {
    assertText(args)
    await program.commander.parseAsync([...args], { from: 'user' })
    return program.exitCode
  } catch (error) {
    return error instanceof CommanderError
      ? exitCodeOf(error)
      : tell(failure(toError(error)), io, isJson)
  }
}

/**
 * Refuses arguments in which Node has replaced bytes that are not UTF-8: the command would use another name than
 * the user meant.
 *
 * @throws UsageError for an argument of such bytes
 */
function assertText(args: readonly string[]): void {
  const wrong = args.find((arg) => arg.includes(REPLACED))

  if (wrong !== undefined) {
    throw new UsageError(
      `the argument ${line(wrong)} has bytes that are not UTF-8: write bytes as base64:…, or give a value on the standard input. The character itself is "\\ufffd" in JSON`
    )
  }
}

/** Assembles all commands. */
export function programFor(io: CommandIO, isJson: boolean): Program {
  const program: Program = { commander: waggleCommand(io, isJson), io, exitCode: DONE }

  for (const add of [
    addServe,
    addStore,
    addGet,
    addDelete,
    addWatch,
    addPeers,
    addPing,
    addStats,
    addImport,
    addExport,
    addInspect,
    addParty,
    addTop,
    addDashboard,
    addId,
    addCompletion
  ]) {
    add(program)
  }

  return program
}

function waggleCommand(io: CommandIO, isJson: boolean): Command {
  const command: Command = new Command('waggle')
  return command
    .description('A distributed dictionary: every value expires, and concurrent writes are merged.')
    .version(VERSION, '-v, --version', 'print the version')
    .addHelpText('after', FIRST_STEPS)
    .showHelpAfterError(!isJson && '(See waggle --help or waggle <command> --help)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.out(text.trimEnd()),
      writeErr: (text) => io.err(text.trimEnd()),
      getOutHelpWidth: () => io.stdout.columns ?? 100,
      getErrHelpWidth: () => io.stderr.columns ?? 100,
      getOutHasColors: () => isColourful(io, 'stdout'),
      getErrHasColors: () => isColourful(io, 'stderr'),
      outputError: (text, write) =>
        write(shownError(wrongUsage(text, namesOf(command)), io, isJson))
    })
}

function namesOf({ commands }: Command): string[] {
  return commands.map((command) => command.name())
}

function exitCodeOf({ code, exitCode }: CommanderError): number {
  // `waggle` without a command prints its help and does nothing, which is wrong usage.
  return exitCode === 0 && code !== 'commander.help' ? DONE : WRONG_USAGE
}

function tell(
  { message, exitCode }: { message: string; exitCode: number },
  io: CommandIO,
  isJson: boolean
): number {
  if (message !== '') {
    io.err(shownError(message, io, isJson))
  }

  return exitCode
}

/** Rewords commander's message about wrong arguments. */
function wrongUsage(text: string, commands: readonly string[]): string {
  const told = text.replace(/^error: /, '').trim()
  const [, unknown] = /^unknown command '(.*)'/.exec(told) ?? []

  if (unknown !== undefined) {
    const meant = suggestion(unknown, commands)
    return `unknown command '${unknown}'${meant === undefined ? '' : `\n(Did you mean ${meant}?)`}`
  }

  return told.startsWith('too many arguments')
    ? `${told} Quote arguments that contain spaces.`
    : told
}

function shownError(message: string, io: CommandIO, isJson: boolean): string {
  return isJson
    ? line({ error: message })
    : `${paintFor(io, 'stderr')('bad', 'waggle:')} ${message}`
}
