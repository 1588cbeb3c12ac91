// Runs `npm test`, `npm run demo` and the like on a machine with nothing but Node 20 and npm: installs missing
// tools and changed dependencies, then runs the task. Plain JavaScript, because the Node that starts this file
// may not read TypeScript.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { ROOT, run, runToExit, StopError, say, step } from './command.mjs'
import { pythonHivemind } from './python-hivemind.mjs'
import { runTests } from './tests.mjs'
import { toolchain } from './toolchain.mjs'

const TASKS = {
  demo,
  'demo:browser': demoBrowser,
  example,
  hivemind,
  long,
  pack,
  packages,
  test,
  waggle
}

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

/** Serves the example for browsers, with a small network. */
async function demoBrowser({ node, env }) {
  await step([node, 'node_modules/typescript/bin/tsc', '-b'], env)

  return run([node, 'examples/browser/serve.ts'], env)
}

/** Runs one of the examples: `npm run example -- presence alice`. */
async function example({ node, env }, [name = '', ...args]) {
  const file = `examples/${name.replace(/\.ts$/, '')}.ts`

  if (!existsSync(join(ROOT, file))) {
    const names = readdirSync(join(ROOT, 'examples')).filter((one) => one.endsWith('.ts'))
    throw new StopError(2, `no example is called "${name}"; choose one of ${names.join(', ')}`)
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

/** Bundles the command from the current source and runs it: `npm run waggle -- serve`. */
async function waggle({ node, env }, args) {
  await step([node, 'packages/cli/scripts/bundle.ts'], env)

  return run([node, 'packages/cli/bin/waggle.js', ...args], env)
}

/** Packs the packages as they will be published, for use before that: `npm run pack -- ../my-app`. */
async function pack({ pnpm, env }, [folder = '.']) {
  const published = ['record', 'dht', 'hivemind', 'cli'].flatMap((name) => [
    '--filter',
    `@waggle/${name}`
  ])
  const destination = resolve(ROOT, folder)

  return run([...pnpm, ...published, '-r', 'pack', '--pack-destination', destination], env)
}

async function packages({ node, env }) {
  say('packing the packages and using them in an empty project')

  return run([node, 'scripts/check-packages.ts'], env)
}

/**
 * Runs the tests even when a check fails, so that one run reports everything. It checks the packages only when
 * all tests run, not when someone works on some of them.
 */
async function test(tools, args) {
  say('checking types, style, documents and exports')
  const sources = await run([...tools.pnpm, 'check'], tools.env)
  const published = args.length === 0 ? await packages(tools) : 0
  say('running the tests')
  const exitCode = await runTests(tools, ['--project=!long', ...args], () => {
    if (sources !== 0) {
      say('the checks failed, see above')
    }

    if (published !== 0) {
      say('the packages failed their checks, see above')
    }
  })

  return exitCode || sources || published
}

/** Runs every test with all its cases, and the project `long` as well. */
async function long(tools, args) {
  say('running all tests, the long ones included')
  const env = { ...tools.env, WAGGLE_LONG: '1' }

  return runTests({ ...tools, env }, args)
}

/** Installs the dependencies, unless the last install saw the same lockfile and manifests. */
async function install({ pnpm, env }) {
  const stamp = join(ROOT, 'node_modules', '.waggle-installed')
  const wanted = manifestHash()

  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
    say('installing the dependencies, because the lockfile or a manifest changed')
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
