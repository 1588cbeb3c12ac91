import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { cpus, loadavg, release, totalmem, type } from 'node:os'
import type { Circumstances } from '../result/results-file.ts'
import { openDHTVersion } from './contestants.ts'

/** Packages that determine the speed. */
const LAYERS = ['@libp2p/tcp', '@libp2p/noise', '@libp2p/yamux']
const PACKAGES = ['libp2p', ...LAYERS, '@libp2p/kad-dht', 'hyperdht']

/** Describes this machine and its installed software. */
export function circumstances(): Circumstances {
  const [processor, ...others] = cpus()
  const head = git('rev-parse', '--short=12', 'HEAD') || 'unknown'

  return {
    machine: {
      cpu: processor?.model.trim() ?? 'unknown',
      cores: others.length + 1,
      memoryBytes: totalmem(),
      os: `${type()} ${release()}`,
      load: loadavg()[0] ?? 0
    },
    versions: {
      node: process.versions.node,
      ...Object.fromEntries(PACKAGES.map((name) => [name, versionOf(name)])),
      opendht: openDHTVersion() ?? 'not installed'
    },
    commit: git('status', '--porcelain') === '' ? head : `${head}+`,
    date: new Date().toISOString().slice(0, 10)
  }
}

function versionOf(name: string): string {
  const file = findPackageJSON(name, import.meta.url)
  return (JSON.parse(file ? readFileSync(file, 'utf8') : '{}').version as string) ?? 'unknown'
}

function git(...args: readonly string[]): string {
  return spawnSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8' }).stdout?.trim() ?? ''
}
