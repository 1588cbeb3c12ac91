import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { temporaryDirectory } from '../../../dht/test/support/temporary-directory.ts'
import { type Served, served } from '../support/served.ts'
import {
  type Ended,
  type RunOptions,
  waggle,
  waggleInShell,
  waggleInto
} from '../support/waggle-process.ts'

let node: Served

beforeAll(async () => {
  node = await served()
})

afterAll(async () => {
  await node[Symbol.asyncDispose]()
})

function run(args: readonly string[], options?: RunOptions): Promise<Ended> {
  return waggle([...args, '--initial-peers', node.address], options)
}

async function stored(key: string): Promise<unknown> {
  const { stdout } = await run(['get', key, '--json'])
  return JSON.parse(stdout).value
}

/** The head of a PNG file: not UTF-8, and it ends in newlines. */
const PICTURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x0a)
const SHOWN_PICTURE = `base64:${Buffer.from(PICTURE).toString('base64')}`

describe('waggle store KEY -', () => {
  it('keeps what is not UTF-8 as bytes, unchanged', async () => {
    expect(await run(['store', 'picture', '-'], { input: PICTURE })).toMatchObject({ exitCode: 0 })
    expect(await stored('picture')).toBe(SHOWN_PICTURE)
  })

  it('keeps with --raw any bytes, also those that happen to be text or JSON', async () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 40 })
    const [random = PICTURE] = fc.sample(bytes, 1)

    for (const [name, input] of Object.entries({ json: Buffer.from('{"a":1}\n'), random })) {
      expect(await run(['store', name, '-', '--raw'], { input })).toMatchObject({ exitCode: 0 })
      expect(await stored(name)).toBe(`base64:${Buffer.from(input).toString('base64')}`)
    }
  })

  it('gives bytes back to a file as they were', async () => {
    await run(['store', 'file', '-'], { input: PICTURE })
    await using directory = await temporaryDirectory()
    const path = join(directory.path, 'picture')
    const args = ['get', 'file', '--raw', '--initial-peers', node.address]

    expect(await waggleInto(`cat > '${path}'`, args)).toMatchObject({ exitCode: 0 })
    expect(new Uint8Array(await readFile(path))).toEqual(PICTURE)
  })

  it.each([
    ['one newline', 'text\n', 'text'],
    ['one newline of Windows', 'text\r\n', 'text'],
    ['one of several newlines', 'text\n\n\n', 'text\n\n'],
    ['no space', 'text \t', 'text \t'],
    ['no byte order mark', '\ufefftext\n', '\ufefftext'],
    ['nothing of an empty input', '', '']
  ])('strips %s', async (what, input, value) => {
    expect(await run(['store', what, '-'], { input })).toMatchObject({ exitCode: 0, stderr: '' })
    expect(await stored(what)).toBe(value)
  })

  it('refuses --raw for a value that is an argument', async () => {
    const { exitCode, stderr } = await run(['store', 'k', 'v', '--raw'])
    expect(exitCode).toBe(2)
    expect(stderr).toContain('give - as the value, or base64:… for bytes')
  })

  it.runIf(process.platform === 'linux')('reads no more than can be stored', async () => {
    const args = ['store', 'k', '-', '--initial-peers', node.address]
    const { exitCode, stderr } = await waggleInShell('"$@" < /dev/zero', args)
    expect(exitCode).toBe(2)
    expect(stderr).toContain('a value takes up to 262144 bytes')
  })
})

describe('a line that is not UTF-8', () => {
  const good = (key: string): Buffer =>
    Buffer.from(`{"key":"${key}","value":1,"expirationTime":${Date.now() / 1000 + 600}}\n`)
  const bad = Buffer.concat([good('bad').subarray(0, 9), Buffer.from([0xff]), good('').subarray(8)])

  it('stops an import, after the lines before it', async () => {
    const input = Buffer.concat([good('before'), bad, good('after')])
    const { exitCode, stderr } = await run(['import'], { input })

    expect(exitCode).toBe(1)
    expect(stderr).toContain("line 2 can't be imported: it is not UTF-8 text")
    expect(await stored('before')).toBe(1)
    expect(await run(['get', 'after'])).toMatchObject({ exitCode: 1 })
  })

  it('is left out with --continue-on-error', async () => {
    const input = Buffer.concat([bad, good('later')])
    const { exitCode, stdout } = await run(['import', '--continue-on-error', '--json'], { input })

    expect(exitCode).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({ stored: 1, wrong: 1 })
  })

  it('is no key', async () => {
    await using directory = await temporaryDirectory()
    const path = join(directory.path, 'keys')
    await writeFile(path, Uint8Array.of(0x6b, 0x0a, 0xff, 0x0a))
    const { exitCode, stderr } = await run(['export', '--keys-from', path])

    expect(exitCode).toBe(1)
    expect(stderr).toContain('--keys-from: line 2 is not UTF-8 text')
  })
})

describe('an argument that is not UTF-8', () => {
  it('is refused, because Node has replaced its bytes', async () => {
    const { exitCode, stderr } = await waggleInShell(`"$@" "$(printf '\\377')"`, ['store', 'k'])
    expect(exitCode).toBe(2)
    expect(stderr).toContain('has bytes that are not UTF-8: write bytes as base64:…')
  })
})
