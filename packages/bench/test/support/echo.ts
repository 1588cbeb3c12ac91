import { nodeCommand } from '../../src/processes/node-command.ts'

/** What the process answers to. */
export type EchoHandlers = {
  echo(params: { readonly text: string }): Promise<string>
  fail(params: object): Promise<void>
  never(params: object): Promise<void>
}

/** Runs the process. */
export const ECHO = nodeCommand(new URL('echo-main.ts', import.meta.url))
