import type { Command } from 'commander'
import { type Context, contextOf } from '../context.ts'
import type { CommandIO } from '../io.ts'

/** The program that commands are added to, and its exit code. */
export interface Program {
  readonly commander: Command
  readonly io: CommandIO
  exitCode: number
}

/** The help text of a command. */
export interface Described {
  /** Name and arguments in commander's syntax, such as `get <key>`. */
  readonly usage: string
  readonly summary: string

  /** Further paragraphs, of one line each. */
  readonly more?: readonly string[]

  /** Example commands with their meaning. */
  readonly examples: readonly (readonly [command: string, meaning: string])[]
}

/** Adds a command with its help, and `--json`. */
export function define(
  { commander }: Program,
  { usage, summary, more = [], examples }: Described
): Command {
  return commander
    .command(usage)
    .summary(summary)
    .description([`${summary}.`, ...more].join('\n\n'))
    .option('--json', 'print JSON, for programs')
    .addHelpText('after', `\nExamples:\n${shownExamples(examples)}`)
}

/** Sets the action of a command. The action returns the exit code. */
export function act<O extends object>(
  program: Program,
  command: Command,
  action: (context: Context, options: O, args: readonly string[]) => Promise<number>
): void {
  command.action(async () => {
    const options = command.opts<O & { json?: boolean }>()
    const context = contextOf(program.io, options.json === true)
    // Optional arguments may be undefined, and variadic ones are lists.
    const args: (string | undefined)[] = command.processedArgs.flat()
    program.exitCode = await action(
      context,
      options,
      args.filter((arg) => arg !== undefined)
    )
  })
}

/** Formats the examples on lines of their own, because long commands leave no room for their meaning. */
function shownExamples(examples: Described['examples']): string {
  return examples.map(([command, meaning]) => `  ${command}\n      ${meaning}`).join('\n')
}
