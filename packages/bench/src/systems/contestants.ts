import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { bundledCommand, nodeCommand } from '../processes/child.ts'

/** A system as the scenarios compare it. */
export interface Contestant {
  readonly name: string
  readonly title: string
  readonly serverCommand: readonly string[]
  readonly clientCommand: readonly string[]

  /** Distinguishes the first valid reply from the newest value. */
  readonly hasLatest?: boolean
  readonly hasBulk?: boolean
  readonly hasWatch?: boolean

  /** Runs from the bundles of the libraries. */
  readonly isBundled?: boolean

  /** Takes longer for misses until the nodes have known each other for a while. */
  readonly settles?: boolean

  /** Becomes slower with each key that a node has requested, and is compiled ahead of time: warmed up briefly. */
  readonly isBestFresh?: boolean
}

const SERVER = new URL('server-main.ts', import.meta.url)
const CLIENT = new URL('client-main.ts', import.meta.url)
const OPENDHT = fileURLToPath(new URL('opendht-process.py', import.meta.url))

/** Interpreter of the Debian package of OpenDHT's binding. */
const PYTHON = '/usr/bin/python3'

export const WAGGLE: Contestant = waggleOf()

/** Returns Waggle as it is published, or from the source of another checkout if its entry file is given. */
export function waggleOf(...entry: string[]): Contestant {
  const isBundled = entry.length === 0
  const abilities = { hasLatest: true, hasBulk: true, hasWatch: true }
  const waggle = { name: 'waggle', title: 'Waggle', ...abilities, settles: true }
  const commandOf = isBundled ? bundledCommand : nodeCommand
  return {
    ...waggle,
    isBundled,
    serverCommand: commandOf(SERVER, 'waggle', ...entry),
    clientCommand: commandOf(CLIENT, 'waggle', ...entry)
  }
}

export const OTHERS: readonly Contestant[] = [
  {
    name: 'opendht',
    title: 'OpenDHT',
    serverCommand: [PYTHON, OPENDHT, 'server'],
    clientCommand: [PYTHON, OPENDHT, 'client'],
    hasLatest: true,
    hasWatch: true,
    isBestFresh: true
  },
  { ...inNode('hyperdht', 'HyperDHT mutable'), hasLatest: true },
  inNode('hyperdht-immutable', 'HyperDHT immutable'),
  inNode('kad', 'kad-dht'),
  inNode('kad-small', 'kad-dht, kBucketSize 5')
]

/** Returns whether a system can run here: OpenDHT needs its Python binding. */
export function isInstalled({ name }: Contestant): boolean {
  return name !== 'opendht' || openDHTVersion() !== undefined
}

/** Returns the version of OpenDHT's package; undefined if its binding cannot be imported. */
export function openDHTVersion(): string | undefined {
  const { status } = spawnSync(PYTHON, ['-c', 'import opendht'])
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query fills it in
  const { stdout } = spawnSync('dpkg-query', ['-W', '-f=${Version}', 'python3-opendht'], {
    encoding: 'utf8'
  })

  return status === 0 ? stdout?.trim() || 'unknown' : undefined
}

function inNode(name: string, title: string): Contestant {
  return {
    name,
    title,
    serverCommand: nodeCommand(SERVER, name),
    clientCommand: nodeCommand(CLIENT, name)
  }
}
