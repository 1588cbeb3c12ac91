import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const { WAGGLE_HIVEMIND_PYTHON: PYTHON = '' } = process.env
const PAGE = fileURLToPath(new URL('../../../../docs/hivemind.md', import.meta.url))
const HERE = fileURLToPath(new URL('.', import.meta.url))

/** Code that keeps a Python example in the network until its input ends. */
const STAY = '\nimport sys\nprint("ready", flush=True)\nsys.stdin.read()\ndht.shutdown()\n'

let folder: string
let python: readonly string[]
let typeScript: readonly string[]

beforeAll(async () => {
  const page = await readFile(PAGE, 'utf8')
  const blocks = (language: string): string[] =>
    Array.from(page.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms')), ([, code]) =>
      String(code)
    )
  ;[python, typeScript] = [blocks('python'), blocks('ts')]
  folder = await mkdtemp(join(HERE, '.docs-'))
})

afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

/** Runs an example as a file, because Hivemind starts processes of its own. */
async function run(code: string): Promise<ChildProcess> {
  const file = join(folder, 'example.py')
  await writeFile(file, code)
  return spawn(PYTHON, ['-u', file], { stdio: ['pipe', 'pipe', 'pipe'] })
}

describe('docs/hivemind.md', () => {
  it('has the examples that are run here', () => {
    expect(python).toHaveLength(2)
    expect(typeScript).toHaveLength(2)
  })

  it('joins a Python swarm and reads what Python has stored', async () => {
    const peer = await run(`${python[0]}${STAY}`)
    const lines: string[] = []

    for await (const line of createInterface({ input: peer.stdout as NodeJS.ReadableStream })) {
      if (line === 'ready') {
        break
      }

      lines.push(line)
    }

    const initialPeers = lines.join(' ').split(' ')
    const file = join(folder, 'join.ts')
    await writeFile(file, String(typeScript[0]))
    const { epochs } = await import(pathToFileURL(file).href)

    expect(await epochs(initialPeers)).toMatchObject([['trainer', { value: { epoch: 3 } }]])
    peer.stdin?.end()
    await once(peer, 'exit')
  })

  it('shows Python that does what the page says', async () => {
    const example = await run(String(python[1]))
    const [out, err, [exitCode]] = await Promise.all([
      text(example.stdout as NodeJS.ReadableStream),
      text(example.stderr as NodeJS.ReadableStream),
      once(example, 'exit')
    ])

    expect(exitCode, err).toBe(0)
    expect(out.split('\n').map((line) => line.split(' ').slice(0, 2))).toEqual(
      expect.arrayContaining([
        ['alice', 'yes'],
        ['carol', 'no']
      ])
    )
  })
})
