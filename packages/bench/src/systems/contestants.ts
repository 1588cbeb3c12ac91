import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
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

  /**
   * Whether it tells those who watch a key of changes.
   *
   * @default false
   */
  readonly hasWatch?: boolean

  /**
   * Slower with each key that a node has asked for, and compiled before it starts: it is measured
   * with little before.
   *
   * @default false
   */
  readonly isBestFresh?: boolean
}

const SERVER = new URL('server-main.ts', import.meta.url)
const CLIENT = new URL('client-main.ts', import.meta.url)
const OPENDHT = fileURLToPath(new URL('opendht-process.py', import.meta.url))

/** The interpreter that Debian's package of OpenDHT's binding is for. */
const PYTHON = '/usr/bin/python3'

/** Waggle itself. */
export const WAGGLE: Contestant = {
  ...inNode('waggle'),
  title: 'Waggle',
  hasLatest: true,
  hasBulk: true,
  hasWatch: true
}

/** What it is compared with. */
export const OTHERS: readonly Contestant[] = [
  {
    name: 'opendht',
    title: 'OpenDHT',
    serverCommand: [PYTHON, OPENDHT, 'server'],
    clientCommand: [PYTHON, OPENDHT, 'client'],
    hasLatest: true,
    hasBulk: false,
    hasWatch: true,
    isBestFresh: true
  },
  { ...inNode('hyperdht'), title: 'HyperDHT mutable', hasLatest: true, hasBulk: false },
  {
    ...inNode('hyperdht-immutable'),
    title: 'HyperDHT immutable',
    hasLatest: false,
    hasBulk: false
  },
  { ...inNode('kad'), title: 'kad-dht', hasLatest: false, hasBulk: false },
  { ...inNode('kad-small'), title: 'kad-dht, kBucketSize 5', hasLatest: false, hasBulk: false }
]

/** Whether it can run here: all do but OpenDHT, for which its Python binding must be there. */
export function isInstalled({ name }: Contestant): boolean {
  return name !== 'opendht' || openDHTVersion() !== undefined
}

/** The version of OpenDHT's package; undefined if its binding can't be imported. */
export function openDHTVersion(): string | undefined {
  const { status } = spawnSync(PYTHON, ['-c', 'import opendht'])
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is for dpkg-query to fill in
  const { stdout } = spawnSync('dpkg-query', ['-W', '-f=${Version}', 'python3-opendht'], {
    encoding: 'utf8'
  })

  return status === 0 ? stdout?.trim() || 'unknown' : undefined
}

function inNode(name: string): Pick<Contestant, 'name' | 'serverCommand' | 'clientCommand'> {
  return {
    name,
    serverCommand: nodeCommand(SERVER, name),
    clientCommand: nodeCommand(CLIENT, name)
  }
}
