// `npm run demo` and `npm test`, also where there is nothing but Node 20 and npm: brings the tools that are
// missing, installs and builds what changed, then hands over to the task. Plain JavaScript, because the Node
// that starts this file may not read TypeScript.
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { ROOT, run, runToExit, StopError, say, step } from './command.mjs'
import { pythonHivemind } from './python-hivemind.mjs'
import { toolchain } from './toolchain.mjs'

const TASKS = { demo, example, hivemind, pack, packages, test, waggle }

async function main([name = '', ...args]) {
  if (!Object.hasOwn(TASKS, name)) {
    throw new StopError(
      2,
      `usage: node scripts/run.mjs ${Object.keys(TASKS).join('|')} [arguments]`
    )
  }

  const tools = await toolchain()
  await install(tools)

  return TASKS[name](tools, args)
}

async function demo({ node, env }, args) {
  await step([node, 'node_modules/typescript/bin/tsc', '-b'], env)

  return run([node, 'scripts/demo/main.ts', ...args], env)
}

/** Runs one of the examples: `npm run example -- presence alice`. */
async function example({ node, env }, [name = '', ...args]) {
  const file = `examples/${name.replace(/\.ts$/, '')}.ts`

  if (!existsSync(join(ROOT, file))) {
    const names = readdirSync(join(ROOT, 'examples')).filter((one) => one.endsWith('.ts'))
    throw new StopError(2, `there is no example ${name}; there are ${names.join(', ')}`)
  }

  await step([node, 'node_modules/typescript/bin/tsc', '-b'], env)

  return run([node, file, ...args], env)
}

/** Runs @waggle/hivemind against Python Hivemind, where that can be had. */
async function hivemind({ node, env }, args) {
  const { python, reason } = pythonHivemind()

  if (python === undefined) {
    say(`SKIPPED, nothing was tested against Python Hivemind: ${reason}`)

    return 0
  }

  const config = 'packages/hivemind/test/python/vitest.config.ts'
  const command = [node, 'node_modules/vitest/vitest.mjs', 'run', '--config', config, ...args]

  return run(command, { ...env, WAGGLE_HIVEMIND_PYTHON: python })
}

/** Starts the command from the source that is there, as `npm run waggle -- serve`. */
async function waggle({ node, env }, args) {
  await step([node, 'packages/cli/scripts/bundle.ts'], env)

  return run([node, 'packages/cli/bin/waggle.js', ...args], env)
}

/** Makes the packages as they will be published, for applications that can't wait for that: `npm run pack -- ../my-app`. */
async function pack({ pnpm, env }, [folder = '.']) {
  const published = ['record', 'dht', 'hivemind', 'cli'].flatMap((name) => [
    '--filter',
    `@waggle/${name}`
  ])
  const destination = resolve(ROOT, folder)

  return run([...pnpm, ...published, '-r', 'pack', '--pack-destination', destination], env)
}

async function packages({ node, env }) {
  say('packing the packages, and using them in an empty project')

  return run([node, 'scripts/check-packages.ts'], env)
}

/**
 * Runs the tests even when a check fails, so that one run tells everything. The packages are looked at when all
 * tests are run, and not when somebody works on some of them.
 */
async function test(tools, args) {
  say('checking types, style, documents and exports')
  const sources = await run([...tools.pnpm, 'check'], tools.env)
  const published = args.length === 0 ? await packages(tools) : 0
  say('running the tests')
  const { exitCode, passed, failed } = await vitest(tools, args)

  if (sources !== 0) {
    say('the checks failed, see above')
  }

  if (published !== 0) {
    say('the packages are not fit to be published, see above')
  }

  if (passed + failed === 0) {
    say('no test ran')
  }

  console.log(`${passed} passed, ${failed} failed`)

  return exitCode || sources || published || Number(failed > 0 || passed === 0)
}

/** Shows the tests as vitest does, and counts them by the report that it writes beside. */
async function vitest({ node, env }, args) {
  const folder = mkdtempSync(join(tmpdir(), 'waggle-'))
  const report = join(folder, 'report.json')
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]

  try {
    const command = [node, 'node_modules/vitest/vitest.mjs', 'run', ...reporters, ...args]
    const exitCode = await run(command, env)

    return { exitCode, ...count(report, exitCode) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A file that fails outside its tests is one failure more, and so is an error outside every file. */
function count(report, exitCode) {
  if (!existsSync(report)) {
    return { passed: 0, failed: exitCode === 0 ? 0 : 1 }
  }

  const result = JSON.parse(readFileSync(report, 'utf8'))
  const isFailed = ({ status }) => status === 'failed'
  const broken = result.testResults.filter(
    (file) => isFailed(file) && !file.assertionResults.some(isFailed)
  )
  const passed = result.numPassedTests
  const failed = result.numFailedTests + broken.length

  return { passed, failed: failed === 0 && passed > 0 && exitCode !== 0 ? 1 : failed }
}

/** Installs the dependencies, unless the last install saw the same lockfile and manifests. */
async function install({ pnpm, env }) {
  const stamp = join(ROOT, 'node_modules', '.waggle-installed')
  const wanted = manifestHash()

  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
    say('installing the dependencies, as the lockfile or a manifest is new')
    await step([...pnpm, 'install', '--frozen-lockfile'], env)
    writeFileSync(stamp, wanted)
  }
}

function manifestHash() {
  const packages = readdirSync(join(ROOT, 'packages')).map((name) => `packages/${name}`)
  const manifests = ['.', 'examples', 'scripts/reference', ...packages.sort()].map(
    (folder) => `${folder}/package.json`
  )
  const files = ['pnpm-lock.yaml', 'pnpm-workspace.yaml', ...manifests]
  const hash = createHash('sha256').update(`${process.platform}-${process.arch}`)

  for (const file of files.filter((name) => existsSync(join(ROOT, name)))) {
    hash.update(`\0${file}\0`).update(readFileSync(join(ROOT, file)))
  }

  return hash.digest('hex')
}

await runToExit(() => main(process.argv.slice(2)))
