import type { Command, Option } from 'commander'
import { DONE, UsageError } from '../errors.ts'
import { bashCompletion, type CompletedCommand, zshCompletion } from '../text/completion.ts'
import { act, define, type Program } from './define.ts'

const SHELLS: ReadonlyMap<string, (commands: readonly CompletedCommand[]) => string> = new Map([
  ['bash', bashCompletion],
  ['zsh', zshCompletion]
])

export function addCompletion(program: Program): void {
  const command = define(program, {
    usage: 'completion <shell>',
    summary: 'Print a completion script for bash or zsh',
    examples: [
      ['source <(waggle completion bash)', 'in ~/.bashrc'],
      ['source <(waggle completion zsh)', 'in ~/.zshrc, after compinit']
    ]
  })
  act(program, command, async ({ io }, _options, [shell = '']) => {
    const script = SHELLS.get(shell)

    if (script === undefined) {
      throw new UsageError(
        `there is no completion for ${shell}, only for ${[...SHELLS.keys()].join(' and ')}`
      )
    }

    io.out(script(program.commander.commands.map(completed)))
    return DONE
  })
}

/** Describes a command to the completion script, with the options that its help lists. */
function completed(command: Command): CompletedCommand {
  return {
    name: command.name(),
    summary: command.summary(),
    options: command.options.map((option) => ({
      name: option.long ?? option.flags,
      description: option.description,
      takesFile: isFile(option)
    }))
  }
}

function isFile({ flags }: Option): boolean {
  return /<(file|directory|socket)>/.test(flags)
}
