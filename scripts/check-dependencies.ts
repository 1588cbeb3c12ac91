// Checks that no dependency needs an install script, and that docs/architecture.md gives a reason for each.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

interface Manifest {
  readonly name?: string
  readonly scripts?: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

/** Scripts that run when a package is installed. */
const INSTALL_SCRIPTS = ['preinstall', 'install', 'postinstall']

/** npm runs node-gyp on a package with this file, unless a script replaces that. */
const BUILD_FILE = 'binding.gyp'

/** Packages whose install script does nothing, as pnpm-workspace.yaml states and docs/architecture.md explains. */
const IDLE = ['classic-level']

const root = new URL('../', import.meta.url)
const problems = [...withInstallScripts(), ...allowedToBuild(), ...unexplained()]

for (const problem of problems) {
  console.error(problem)
}

process.exitCode = problems.length === 0 ? 0 : 1

function* withInstallScripts(): Generator<string> {
  for (const directory of installed()) {
    const { name = '', scripts = {} } = manifestIn(directory)
    const found = INSTALL_SCRIPTS.filter((script) => Object.hasOwn(scripts, script))

    if (existsSync(new URL(BUILD_FILE, directory))) {
      found.push(BUILD_FILE)
    }

    if (found.length > 0 && !IDLE.includes(name)) {
      yield `${name} has an install script (${found.join(', ')}): dependencies must not need one`
    }
  }
}

/** Finds packages whose scripts pnpm would run. */
function* allowedToBuild(): Generator<string> {
  const settings = readFileSync(new URL('pnpm-workspace.yaml', root), 'utf8')
  const [, builds = ''] = /^allowBuilds:\n((?: .*\n)*)/m.exec(settings) ?? []

  for (const line of builds.split('\n').filter((line) => line.trim() !== '')) {
    if (!line.endsWith(': false')) {
      yield `pnpm-workspace.yaml lets an install script run (${line.trim()}): dependencies must not need one`
    }
  }
}

function* unexplained(): Generator<string> {
  const explained = readFileSync(new URL('docs/architecture.md', root), 'utf8')

  for (const folder of readdirSync(new URL('packages/', root))) {
    const manifest = manifestIn(new URL(`packages/${folder}/`, root))

    for (const name of Object.keys({ ...manifest.dependencies, ...manifest.devDependencies })) {
      if (!name.startsWith('@waggle/') && !explained.includes(`\`${name}\``)) {
        yield `docs/architecture.md does not say why packages/${folder} depends on ${name}`
      }
    }
  }
}

/** Lists the directories of all installed packages, transitive dependencies included. */
function* installed(): Generator<URL> {
  const store = new URL('node_modules/.pnpm/', root)

  for (const entry of readdirSync(store)) {
    const modules = new URL(`${encodeURIComponent(entry)}/node_modules/`, store)

    for (const name of existsSync(modules) ? readdirSync(modules) : []) {
      yield* packagesIn(new URL(`${name}/`, modules), name)
    }
  }
}

function* packagesIn(directory: URL, name: string): Generator<URL> {
  if (!name.startsWith('@')) {
    yield directory
    return
  }

  for (const scoped of readdirSync(directory)) {
    yield new URL(`${scoped}/`, directory)
  }
}

function manifestIn(directory: URL): Manifest {
  const file = fileURLToPath(new URL('package.json', directory))
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
}
