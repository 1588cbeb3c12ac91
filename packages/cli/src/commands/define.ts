import type { Command } from 'commander'
import { type Context, contextOf } from '../context.ts'
import type { CommandIO } from '../io.ts'

/** Where commands are added, and where their exit code goes. */
export interface Program {
  readonly commander: Command
  readonly io: CommandIO
  exitCode: number
}

/** What `--help` says of a command. */
export interface Described {
  /** Name and arguments as commander reads them, as in `get <key>`. */
  readonly usage: string
  readonly summary: string

  /** What the summary leaves open; paragraphs of one line each. */
  readonly more?: readonly string[]

  /** Each with what it does. */
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
    .option('--json', 'answer in JSON, for programs')
    .addHelpText('after', `\nExamples:\n${shownExamples(examples)}`)
}

/** Has a command do something when it is called; the number is its exit code. */
export function act<O extends object>(
  program: Program,
  command: Command,
  action: (context: Context, options: O, args: readonly string[]) => Promise<number>
): void {
  command.action(async () => {
    const options = command.opts<O & { json?: boolean }>()
    const context = contextOf(program.io, options.json === true)
    // Those that may be left out are undefined, and those of which there may be several are lists.
    const args: (string | undefined)[] = command.processedArgs.flat()
    program.exitCode = await action(
      context,
      options,
      args.filter((arg) => arg !== undefined)
    )
  })
}

/** Each on a line of its own, as long commands leave no room beside them. */
function shownExamples(examples: Described['examples']): string {
  return examples.map(([command, meaning]) => `  ${command}\n      ${meaning}`).join('\n')
}
