import { nodeCommand } from '../processes/node-command.ts'

/** A system as the scenarios compare it. */
export interface Contestant {
  readonly name: string
  readonly title: string
  readonly serverCommand: readonly string[]
  readonly clientCommand: readonly string[]

  /** Whether there is a choice between the first good answer and the newest. */
  readonly hasLatest: boolean
  readonly hasBulk: boolean
}

const SERVER = new URL('server-main.ts', import.meta.url)
const CLIENT = new URL('client-main.ts', import.meta.url)

/** Waggle itself. */
export const WAGGLE: Contestant = {
  ...inNode('waggle'),
  title: 'Waggle',
  hasLatest: true,
  hasBulk: true
}

function inNode(name: string): Pick<Contestant, 'name' | 'serverCommand' | 'clientCommand'> {
  return {
    name,
    serverCommand: nodeCommand(SERVER, name),
    clientCommand: nodeCommand(CLIENT, name)
  }
}

/** All that are compared, in the order of the tables. */
export const contestants: readonly Contestant[] = [WAGGLE]
