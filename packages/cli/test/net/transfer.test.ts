import { access, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type TemporaryDirectory,
  temporaryDirectory
} from '../../../dht/test/support/temporary-directory.ts'
import { type Served, served } from '../support/served.ts'
import { waggle } from '../support/waggle-process.ts'

/** Entries that together exceed the memory of the commands. */
const ENTRIES = 4000
const VALUE = 'x'.repeat(12_000)
const LITTLE_MEMORY = { NODE_OPTIONS: '--max-old-space-size=96' }

const soon = Math.floor(Date.now() / 1000) + 3600

let directory: TemporaryDirectory
let control: string
let first: Served
let second: Served

beforeAll(async () => {
  directory = await temporaryDirectory()
  control = join(directory.path, 'node.sock')
  first = await served(['--data-dir', join(directory.path, 'data'), '--control', control])
  second = await served(['--control', join(directory.path, 'second.sock')])
})

afterAll(async () => {
  await Promise.all([first, second].map((node) => node[Symbol.asyncDispose]()))
  await directory[Symbol.asyncDispose]()
})

async function file(name: string, lines: readonly string[]): Promise<string> {
  const path = join(directory.path, name)
  await writeFile(path, lines.map((line) => `${line}\n`).join(''))
  return path
}

async function sortedLines(path: string): Promise<string[]> {
  return (await readFile(path, 'utf8')).trim().split('\n').sort()
}

describe('waggle import and export', () => {
  it('carry many records over, in bounded memory', async () => {
    const lines = Array.from({ length: ENTRIES }, (_, i) =>
      JSON.stringify({ key: `key ${i}`, value: VALUE, expirationTime: soon + i / 1000 })
    )
    const from = await file('many.jsonl', lines)
    const to = join(directory.path, 'copy.jsonl')
    const imported = await waggle(['import', '-p', first.address, from], { env: LITTLE_MEMORY })
    const exported = await waggle(['export', '--control', control, '-o', to], {
      env: LITTLE_MEMORY
    })

    expect(imported.stderr).toBe('')
    expect(imported.stdout).toMatch(/imported 4,000 entries in [\d.]+ s \([\d,]+ a second\)\n/)
    expect(exported.stdout).toMatch(/exported 4,000 entries in [\d.]+ s \([\d,]+ a second\)\n/)
    expect(await sortedLines(to)).toEqual(lines.sort())
  })

  it('carry everything over that a record can be', async () => {
    const lines = [
      { key: ['a', 'base64:AAE='], value: 'text:text:', expirationTime: soon },
      {
        key: 'dictionary',
        subkey: 1,
        value: { deep: [null, 'bigint:18446744073709551615'] },
        expirationTime: soon
      },
      { key: 'dictionary', subkey: '1', value: 'number:-0', expirationTime: soon + 1 },
      { key: 'gone', deleted: true, expirationTime: soon }
    ].map((line) => JSON.stringify(line))
    const { exitCode } = await waggle([
      'import',
      '-p',
      second.address,
      await file('all.jsonl', lines)
    ])
    const all = await waggle(['export', '--control', join(directory.path, 'second.sock')])

    expect(exitCode).toBe(0)
    expect(all.stdout.trim().split('\n').sort()).toEqual(lines.sort())
  })

  it('carry a dictionary over that came after a deletion of all', async () => {
    const lines = [
      { key: 'anew', deleted: true, expirationTime: soon },
      { key: 'anew', subkey: 'a', value: 1, expirationTime: soon + 1 },
      { key: 'anew', subkey: 'b', deleted: true, expirationTime: soon + 2 }
    ].map((line) => JSON.stringify(line))
    const path = await file('anew.jsonl', lines.toReversed())
    const { exitCode, stdout } = await waggle(['import', '-p', second.address, '--json', path])
    const all = await waggle(['export', '--control', join(directory.path, 'second.sock')])

    expect({ exitCode, ...JSON.parse(stdout) }).toMatchObject({ exitCode: 0, stored: 3 })
    expect(all.stdout.split('\n').filter((line) => line.includes('"anew"'))).toEqual(lines)
  })

  it('say what is wrong with the file that they are to write', async () => {
    const output = join(directory.path, 'nowhere', 'copy.jsonl')
    const { exitCode, stderr } = await waggle(['export', '--control', control, '-o', output])

    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: expect.stringContaining(`--output: can't write ${output}: ENOENT`)
    })
    expect(stderr).not.toMatch(/^\s+at /m)
  })

  it('read named keys from the network, and say which share was not found', async () => {
    await waggle(['store', 'there', '1', '-p', second.address])
    const { exitCode, stdout, stderr } = await waggle(
      ['export', '-p', second.address, '--keys-from', '-'],
      { input: 'there\nelsewhere\n' }
    )

    expect(exitCode).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({ key: 'there', value: 1 })
    expect(stderr).toContain('1 key was not found')
  })

  it('leave out what has expired, and what only its owner can store', async () => {
    const { exitCode, stdout } = await waggle(['import', '-p', second.address, '--json'], {
      input: [
        { key: 'late', value: 1, expirationTime: 1 },
        { key: 'signed', value: 1, expirationTime: soon, signed: true },
        { key: 'good', value: 1, expirationTime: soon }
      ]
        .map((line) => `${JSON.stringify(line)}\n`)
        .join('')
    })

    expect({ exitCode, ...JSON.parse(stdout) }).toMatchObject({
      exitCode: 0,
      stored: 1,
      expired: 1,
      signed: 1,
      refused: 0
    })
  })

  it('say what was refused, and what for', async () => {
    await waggle(['store', 'held', 'later', '--ttl', '3h', '-p', second.address])
    const { exitCode, stdout } = await waggle(['import', '-p', second.address, '--json'], {
      input: `{"key":"held","value":1,"expirationTime":${soon}}\n`
    })

    expect({ exitCode, ...JSON.parse(stdout) }).toMatchObject({
      exitCode: 1,
      refused: 1,
      failed: 0
    })
  })

  it('name the line that is wrong', async () => {
    const { exitCode, stderr } = await waggle(['import', '-p', second.address], {
      input: `{"key":"k","value":1,"expirationTime":${soon}}\n{"key":"k"}\n`
    })

    expect(exitCode).toBe(1)
    expect(stderr).toContain(`line 2 can't be imported: it needs "key", "expirationTime"`)
  })

  it('stop at a line that is wrong, after all lines before it', async () => {
    const { exitCode, stderr } = await waggle(['import', '-p', second.address], {
      input: `\ufeff\n{"key":"before","value":"a\u2028b","expirationTime":${soon}}\r\n\nno line\n{"key":"behind","value":1,"expirationTime":${soon}}\n`
    })
    const [before, behind] = await Promise.all(
      ['before', 'behind'].map((key) => waggle(['get', key, '-p', second.address, '--json']))
    )

    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: expect.stringContaining("line 4 can't be imported: it is not a JSON object")
    })
    expect(JSON.parse(before?.stdout ?? '')).toMatchObject({ value: 'a\u2028b' })
    expect(behind?.exitCode).toBe(1)
  })

  it('name each line that is wrong, and go on, if they are to', async () => {
    const far = soon + 10 ** 9
    const owned = '[owner:12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5]'
    const lines = [
      { key: 'good 1', value: 1, expirationTime: soon },
      { key: 'too late', value: 1, expirationTime: far },
      { key: 'no value', expirationTime: soon },
      { key: `another one's ${owned}`, value: 1, expirationTime: soon },
      { key: 'x'.repeat(100_000), deleted: true, expirationTime: soon },
      { key: 'good 2', value: 2, expirationTime: soon }
    ].map((line) => JSON.stringify(line))
    const { exitCode, stdout, stderr } = await waggle(
      ['import', '-p', second.address, '--json', '--continue-on-error'],
      { input: `${lines.join('\n')}\n` }
    )
    const named = stderr.matchAll(/^line (\d+) can't be imported: ./gm)

    expect({ exitCode, ...JSON.parse(stdout) }).toMatchObject({ exitCode: 1, stored: 2, wrong: 4 })
    expect(Array.from(named, ([, number]) => number).sort()).toEqual(['2', '3', '4', '5'])
  })

  it('make no directory where there is none', async () => {
    const nowhere = join(directory.path, 'nowhere')
    const { exitCode, stderr } = await waggle(['export', '--data-dir', nowhere])

    expect(exitCode).toBe(1)
    expect(stderr).toContain('is not the data directory of a node')
    await expect(access(nowhere)).rejects.toThrow('ENOENT')
  })

  it('take what a node that is stopped has kept, and refuse while it runs', async () => {
    const dataDir = join(directory.path, 'data')
    expect(await waggle(['export', '--data-dir', dataDir])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/is in use by the process \d+. Stop it first/)
    })

    first.process.kill('SIGTERM')
    await first.process.ended()
    await rm(join(dataDir, 'identity.key'))
    const { exitCode, stdout } = await waggle(['export', '--data-dir', dataDir])
    expect(exitCode).toBe(0)
    expect(stdout.trim().split('\n')).toHaveLength(ENTRIES)
    await expect(access(join(dataDir, 'identity.key'))).rejects.toThrow('ENOENT')
  })
})
