// Checks the packages as their users get them: packs each, runs publint and attw on it, and installs all of them
// with npm into an empty project, where they must work in JavaScript and in TypeScript.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { makeProject, RESOLUTIONS } from './packages/project.ts'
import { mustRun, runIn } from './packages/run-in.ts'

interface Toolchain {
  toolchain(): Promise<{ node: string; pnpm: string[]; env: NodeJS.ProcessEnv }>
  nodeOf(version: string): Promise<string | undefined>
}

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** Packages with types, which attw checks. */
const LIBRARIES = ['record', 'dht', 'hivemind']
const PACKAGES = [...LIBRARIES, 'cli']

/** The oldest Node that `engines` allows. */
const OLDEST_NODE = '22.12.0'

/** Selects the modules instead of the bundles. */
const MODULES = '--conditions=@waggle/modules'

/** Minimum age of installed packages, in ms, as `minimumReleaseAge` in the workspace. */
const MIN_AGE_MS = 3 * 24 * 60 * 60 * 1000

/** Files that each tarball must contain, and files that none may. */
const REQUIRED = ['package/LICENSE', 'package/README.md']
const FORBIDDEN = /tsbuildinfo|\/test\/|\.tgz$/

const folder = mkdtempSync(join(tmpdir(), 'waggle-packages-'))
// toolchain.mjs is JavaScript without types, because any Node must be able to read it.
const { nodeOf, toolchain }: Toolchain = await import(
  String(new URL('toolchain.mjs', import.meta.url))
)
const { node, pnpm, env } = await toolchain()
const oldestNode = await nodeOf(OLDEST_NODE)
let failures = 0

try {
  const tarballs = pack()
  checkManifests()
  checkTarballs(tarballs)
  checkInstalled(tarballs)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

console.log(failures === 0 ? 'The packages can be published.' : `Failed checks: ${failures}.`)
process.exitCode = failures === 0 ? 0 : 1

/** Packs each package; its `prepack` builds it first. */
function pack(): string[] {
  const packs = join(folder, 'packs')
  mkdirSync(packs)

  for (const name of PACKAGES) {
    mustRun(join(ROOT, 'packages', name), [...pnpm, 'pack', '--pack-destination', packs], env)
  }

  return readdirSync(packs).map((file) => join(packs, file))
}

/** pnpm adds the workspace's licence by itself as it packs. npm, and a dry run, take a package's own. */
function checkManifests(): void {
  const licence = readFileSync(join(ROOT, 'LICENSE'), 'utf8')

  for (const name of PACKAGES) {
    const place = join(ROOT, 'packages', name)
    const own = join(place, 'LICENSE')
    const { publishConfig } = JSON.parse(readFileSync(join(place, 'package.json'), 'utf8'))
    verdict(
      `${name} has the licence of the project`,
      existsSync(own) && readFileSync(own, 'utf8') === licence,
      `copy LICENSE to packages/${name}`
    )
    verdict(
      `${name} is published with provenance`,
      publishConfig?.provenance === true,
      'set publishConfig.provenance'
    )
    const dryRun = mustRun(place, ['npm', 'pack', '--dry-run', '--json', '--ignore-scripts'], env)
    verdict(
      `a dry run of npm pack for ${name} has the licence`,
      dryRun.includes('"LICENSE"'),
      dryRun
    )
  }
}

function checkTarballs(tarballs: readonly string[]): void {
  for (const tarball of tarballs) {
    const files = mustRun(folder, ['tar', 'tzf', tarball]).split('\n')
    const missing = REQUIRED.filter((file) => !files.includes(file))
    const odd = files.filter((file) => FORBIDDEN.test(file))
    verdict(
      `${short(tarball)} contains the required files and no others`,
      missing.length + odd.length === 0,
      [...missing, ...odd].join('\n')
    )
    tool(tarball, 'publint', ['run', tarball, '--strict'])

    if (LIBRARIES.some((name) => tarball.includes(`waggle-${name}-`))) {
      tool(tarball, 'attw', [tarball, '--profile', 'esm-only'])
    }
  }
}

function checkInstalled(tarballs: readonly string[]): void {
  const project = join(folder, 'project')
  makeProject(project, tarballs)
  mustRun(
    project,
    [
      'npm',
      'install',
      `--before=${new Date(Date.now() - MIN_AGE_MS).toISOString()}`,
      '--no-audit',
      '--no-fund',
      '--ignore-scripts',
      '--prefer-offline',
      '--loglevel=error',
      `@types/node@${typesNode()}`
    ],
    env
  )
  check('they work in JavaScript', project, [node, 'program.js'])
  check("they work in an application's libp2p node", project, [node, 'own-node.js'])

  for (const program of ['program.js', 'own-node.js']) {
    check(`their modules work without bundles (${program})`, project, [node, MODULES, program])
  }

  if (oldestNode !== undefined) {
    check(`they work in Node ${OLDEST_NODE}`, project, [oldestNode, 'program.js'])
    check(`the command works in Node ${OLDEST_NODE}`, project, [oldestNode, 'command.js'])
  }

  for (const name of Object.keys(RESOLUTIONS)) {
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
    check(`their types work with ${name}`, project, [node, tsc, '-p', `tsconfig.${name}.json`])
  }

  check('the command works', project, [node, 'command.js'])
  check('npx finds it', project, ['npx', '--no-install', 'waggle', '--version'])
}

function typesNode(): string {
  return JSON.parse(
    mustRun(ROOT, [node, '-p', 'JSON.stringify(require("@types/node/package.json").version)'])
  )
}

function tool(tarball: string, name: string, args: readonly string[]): void {
  check(`${name} accepts ${short(tarball)}`, ROOT, [join('node_modules/.bin', name), ...args])
}

function check(what: string, where: string, command: readonly string[]): void {
  const { exitCode, output } = runIn(where, command, env)
  verdict(what, exitCode === 0, output)
}

function verdict(what: string, isGood: boolean, output: string): void {
  console.log(`${isGood ? '✓' : '✗'} ${what}`)

  if (!isGood) {
    failures++
    console.log(output.replace(/^/gm, '    '))
  }
}

function short(tarball: string): string {
  return tarball.slice(tarball.lastIndexOf('/') + 1)
}
