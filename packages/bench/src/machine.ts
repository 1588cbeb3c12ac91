import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { cpus, loadavg, release, totalmem, type } from 'node:os'
import { openDHTVersion } from './systems/contestants.ts'

/** Where and with what something was measured. */
export interface Circumstances {
  readonly machine: {
    readonly cpu: string
    readonly cores: number
    readonly memoryBytes: number
    readonly os: string

    /** Load average of the last minute: what else was going on before the run. */
    readonly load: number
  }

  /** Versions of what was compared, and of Node. */
  readonly versions: Readonly<Record<string, string>>

  /** The commit of this repository; `+` behind it if there were changes that it doesn't have. */
  readonly commit: string

  /** As YYYY-MM-DD. */
  readonly date: string
}

/** The packages whose speed is measured. */
const PACKAGES = [
  'libp2p',
  '@libp2p/tcp',
  '@chainsafe/libp2p-noise',
  '@chainsafe/libp2p-yamux',
  '@libp2p/kad-dht',
  'hyperdht'
]

/** Describes this machine and what is installed on it, as of now. */
export function circumstances(): Circumstances {
  const processors = cpus()

  return {
    machine: {
      cpu: processors[0]?.model.trim() ?? 'unknown',
      cores: processors.length,
      memoryBytes: totalmem(),
      os: `${type()} ${release()}`,
      load: loadavg()[0] ?? 0
    },
    versions: {
      node: process.versions.node,
      ...Object.fromEntries(PACKAGES.map((name) => [name, versionOf(name)])),
      opendht: openDHTVersion() ?? 'not installed'
    },
    commit: commit(),
    date: new Date().toISOString().slice(0, 10)
  }
}

function versionOf(name: string): string {
  const file = findPackageJSON(name, import.meta.url)
  const { version } = JSON.parse(file ? readFileSync(file, 'utf8') : '{}') as { version?: string }
  return version ?? 'unknown'
}

function commit(): string {
  const head = git('rev-parse', '--short=12', 'HEAD')
  return head === '' ? 'unknown' : `${head}${git('status', '--porcelain') === '' ? '' : '+'}`
}

function git(...args: readonly string[]): string {
  const { stdout } = spawnSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8' })
  return stdout?.trim() ?? ''
}
