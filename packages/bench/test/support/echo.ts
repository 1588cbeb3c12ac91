import { Child, type ChildOptions, nodeCommand } from '../../src/processes/child.ts'
import type { EchoHandlers } from './echo-main.ts'

const COMMAND = nodeCommand(new URL('echo-main.ts', import.meta.url))

export function echoProcess(options: ChildOptions): Child<EchoHandlers> {
  return new Child<EchoHandlers>(COMMAND, options)
}
