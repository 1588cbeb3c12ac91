import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fences } from '../../../../scripts/docs/markdown.ts'
import { freeAddress } from '../support/loopback.ts'
import { ROOT, runScript, type ScriptRun } from '../support/run-script.ts'

const DOCUMENTS = [
  'README.md',
  'docs/hivemind.md',
  'docs/kad-dht.md',
  'docs/recipes.md',
  'docs/sealed.md',
  'packages/dht/README.md',
  'packages/hivemind/README.md',
  'packages/record/README.md'
]

/** Fixed addresses of examples, as people write them. A test must not use them. */
const ADDRESS = /127\.0\.0\.1:[1-9]\d*/g

/**
 * A server on all interfaces that runs until it is stopped: an example for operators, not for a test.
 */
const SERVES_EVERYBODY = /listenOn: ':/

async function examplesOf(document: string): Promise<string[]> {
  const text = await readFile(join(ROOT, document), 'utf8')
  return fences(text)
    .filter(({ language, code }) => language === 'ts' && !SERVES_EVERYBODY.test(code))
    .map(({ code }) => code)
}

async function withFreeAddresses(code: string): Promise<string> {
  let changed = code

  for (const address of new Set(code.match(ADDRESS))) {
    changed = changed.replaceAll(address, await freeAddress())
  }

  return changed
}

/** Runs code in a folder of the repository, where the packages are found by their names. */
async function run(code: string): Promise<ScriptRun> {
  const folder = await mkdtemp(join(ROOT, '.docs-run-'))

  try {
    const path = join(folder, 'example.ts')
    await writeFile(path, await withFreeAddresses(code))
    return await runScript(path)
  } finally {
    await rm(folder, { recursive: true })
  }
}

for (const document of DOCUMENTS) {
  describe(document, async () => {
    for (const [index, code] of (await examplesOf(document)).entries()) {
      it(`has example ${index + 1} run to its end`, async () => {
        expect(await run(code)).toMatchObject({ exitCode: 0, stderr: '' })
      })
    }
  })
}

describe('the seed example', () => {
  it('prints what its comments say', async () => {
    const [seed = ''] = await examplesOf('README.md')
    const { stdout } = await run(seed)

    expect(stdout).toContain("[ 'i', 'love', 'bees' ]")
    expect(stdout).toMatch(/'alice' => { value: 'yes'[^}]*}.*'carol' => { value: 'no'/s)
  })
})

describe('the demo', () => {
  it('tells the story to its good end, leaving no process', async () => {
    const { exitCode, stdout, stderr } = await runScript('scripts/demo/main.ts', {
      timeoutMs: 60_000
    })
    const pids = Array.from(stdout.matchAll(/is process (\d+)/g), ([, pid]) => Number(pid))

    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(stdout).toContain('Every result is as promised.')
    expect(stdout).not.toContain('✗')
    expect(pids).toHaveLength(3)
    expect(pids.filter(isRunning)).toEqual([])
  })
})

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
