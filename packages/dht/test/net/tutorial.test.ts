import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Fence, fences } from '../../../../scripts/docs/markdown.ts'
import { ROOT, runScript } from '../support/run-script.ts'
import { RunningScript } from '../support/running-script.ts'

let folder: string
let blocks: Fence[]

beforeAll(async () => {
  blocks = fences(await readFile(join(ROOT, 'docs/tutorial.md'), 'utf8'))
  // Inside the repository, where the packages are found by their names.
  folder = await mkdtemp(join(ROOT, '.docs-run-'))

  for (const { code } of blocks) {
    const [, name] = /^\/\/ (\S+\.ts)\n/.exec(code) ?? []
    await (name && writeFile(join(folder, name), code))
  }
})

afterAll(async () => {
  await rm(folder, { recursive: true })
})

/** Makes a pattern of the output that the tutorial shows for a command: `…` is anything. */
function promised(command: RegExp): RegExp {
  const index = blocks.findIndex(({ language, code }) => language === 'sh' && command.test(code))
  const { language, code = '' } = blocks[index + 1] ?? {}
  expect(language).toBe('text')
  return new RegExp(
    code
      .trim()
      .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
      .replaceAll('…', '[^]*?')
  )
}

describe('the tutorial', () => {
  it.concurrent.each(['first', 'two', 'many', 'one'])('shows what %s.ts prints', async (name) => {
    const { exitCode, stdout, stderr } = await runScript(join(folder, `${name}.ts`))

    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(stdout.trim()).toMatch(promised(new RegExp(`^node ${name}\\.ts`)))
  })

  it('ends with an application that shows who is here, and who has gone', async () => {
    const program = join(folder, 'presence.ts')
    await using alice = new RunningScript(program, ['alice'])
    const [, address = ''] = /<name> (\S+)/.exec(await alice.line(/^to join/)) ?? []
    await alice.line(/^here: alice$/)
    expect(alice.lines.join('\n')).toMatch(promised(/presence.ts alice/))

    await using bob = new RunningScript(program, ['bob', address])
    await bob.line(promised(/presence.ts bob/))
    await alice.line(/^here: alice, bob$/)

    await using carol = new RunningScript(program, ['carol', address])
    await alice.line(/^here: alice, bob, carol$/)
    expect(await bob.end('SIGINT')).toEqual({ exitCode: 0, stderr: '' })
    await alice.line(/^here: alice, carol$/)

    await carol.end('SIGKILL')
    await alice.last(/^here: alice$/)
    expect(await alice.end('SIGINT')).toEqual({ exitCode: 0, stderr: '' })
  })
})
