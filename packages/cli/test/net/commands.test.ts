import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { temporaryDirectory } from '../../../dht/test/support/temporary-directory.ts'
import { type Served, served } from '../support/served.ts'
import { type Ended, RunningWaggle, type RunOptions, waggle } from '../support/waggle-process.ts'

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

async function answer(args: readonly string[]): Promise<unknown> {
  const { exitCode, stdout, stderr } = await run([...args, '--json'])
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  return JSON.parse(stdout)
}

describe('waggle store and get', () => {
  it.concurrent.each([
    ['a word', 'hello', 'hello'],
    ['a number', '42', 42],
    ['text that looks like a number', 'text:42', '42'],
    ['an object with bytes in it', '{"a":[1,"base64:AAEC"]}', { a: [1, 'base64:AAEC'] }],
    ['an integer beyond what a float holds', '12345678901234567890', 'bigint:12345678901234567890'],
    ['nothing', 'null', null]
  ])('bring back %s', async (what, typed, value) => {
    expect(await run(['store', what, typed])).toMatchObject({ exitCode: 0, stderr: '' })
    expect(await answer(['get', what])).toMatchObject({ key: what, value })
  })

  it('print a value so that it can be typed again', async () => {
    await run(['store', 'again', '["base64:AAEC","text:text:x",-0.5]'])
    const { stdout } = await run(['get', 'again'])
    await run(['store', 'again', stdout.trim(), '--ttl', '2h'])

    expect((await run(['get', 'again', '--latest'])).stdout).toBe(stdout)
  })

  it('fill a dictionary place by place', async () => {
    await run(['store', 'party', 'yes', '--subkey', 'alice'])
    await run(['store', 'party', 'no', '--subkey', 'carol'])

    expect(await answer(['get', 'party', '--latest'])).toMatchObject({
      entries: expect.arrayContaining([
        expect.objectContaining({ subkey: 'alice', value: 'yes' }),
        expect.objectContaining({ subkey: 'carol', value: 'no' })
      ])
    })
    expect(await run(['get', 'party', '--subkey', 'carol', '--raw'])).toMatchObject({
      exitCode: 0,
      stdout: 'no\n'
    })
  })

  it('take a value from the standard input', async () => {
    await run(['store', 'piped', '-'], { input: '{"from": "a file"}\n' })
    expect(await answer(['get', 'piped'])).toMatchObject({ value: { from: 'a file' } })
    await run(['store', 'piped text', '-'], { input: 'two words, 2 lines\nof text\n' })
    expect(await answer(['get', 'piped text'])).toMatchObject({
      value: 'two words, 2 lines\nof text'
    })
  })

  it('say with exit code 2 that a value is too large', async () => {
    const { exitCode, stderr } = await run(['store', 'large', '-'], { input: 'x'.repeat(2 ** 21) })

    expect(exitCode).toBe(2)
    expect(stderr).toMatch(/^waggle: .*bytes/)
  })

  it('say with exit code 1 that nothing is there', async () => {
    expect(await run(['get', 'nowhere'])).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'waggle: no value is stored under "nowhere", or it has expired\n'
    })
  })

  it('say with exit code 1 what a write was refused for, and what to do', async () => {
    await run(['store', 'held', 'first', '--ttl', '1h'])
    const { exitCode, stderr } = await run(['store', 'held', 'second', '--ttl', '1m'])

    expect(exitCode).toBe(1)
    expect(stderr).toMatch(/refused: "held" already holds a value until .*: use a longer --ttl/)
  })
})

describe('waggle delete', () => {
  it.each([
    ['10m', []],
    ['7d', []],
    ['10m', ['--ttl', '20m']]
  ])('makes a value vanish that lasts for %s, with %j', async (ttl, options) => {
    const key = `doomed for ${ttl} ${options.join(' ')}`
    await run(['store', key, '1', '--ttl', ttl])
    expect(await answer(['delete', key, ...options])).toMatchObject({ deleted: true, key })
    expect(await run(['get', key, '--latest'])).toMatchObject({ exitCode: 1 })
  })

  it('keeps out no later write, however little later it expires', async () => {
    const at = Math.floor(Date.now() / 1000) + 3600
    await run(['store', 'again and again', '1', '--expiration-time', String(at)])
    await run(['delete', 'again and again'])
    const again = ['store', 'again and again', '2', '--expiration-time']

    expect(await run([...again, String(at)])).toMatchObject({ exitCode: 1 })
    expect(await run([...again, String(at + 0.001)])).toMatchObject({ exitCode: 0 })
  })

  it('leaves the other subkeys of a dictionary', async () => {
    await run(['store', 'guests', 'yes', '--subkey', 'alice', '--ttl', '3h'])
    await run(['store', 'guests', 'no', '--subkey', 'bob'])
    await run(['delete', 'guests', '--subkey', 'alice'])

    expect(await answer(['get', 'guests', '--latest'])).toMatchObject({
      entries: [{ subkey: 'bob', value: 'no' }]
    })
  })

  it('says that nothing is there', async () => {
    expect(await answer(['delete', 'never stored'])).toEqual({
      deleted: false,
      key: 'never stored'
    })
  })
})

describe('a refusal', () => {
  let keys: AsyncDisposable & { readonly path: string }
  let mine: string
  let tag: string

  beforeAll(async () => {
    keys = await temporaryDirectory()
    mine = join(keys.path, 'mine.key')
    tag = JSON.parse((await waggle(['id', mine, '--json'])).stdout).ownerTag
    await run(['store', 'seats', '3', '--subkey', tag, '--identity', mine])
    await run(['store', 'seats', '4', '--subkey', 'nobody'])
  })

  afterAll(async () => {
    await keys[Symbol.asyncDispose]()
  })

  it.each([
    ['store', 'seats', '5', '--subkey'],
    ['delete', 'seats', '--ttl', '2h', '--subkey'],
    ['delete', 'seats', '--subkey']
  ])('names the owner: %s %s', async (...args) => {
    const { exitCode, stderr } = await run([...args, tag])
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(/the place belongs to 12D3\w+: pass that peer's --identity, or use the/)
    expect(stderr).not.toMatch(/privateKey|ownerTag|ttl/)
  })

  it.each([
    ['delete', 'seats', '--ttl', '3h'],
    ['delete', 'seats'],
    ['store', 'seats', '5', '--ttl', '4h']
  ])('names the owner of a subkey in the way: %s %s', async (...args) => {
    const { exitCode, stderr } = await run(args)
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(
      /refused: "seats" \/ "\[owner:12D3\w+\]" belongs to 12D3\w+, and only that peer can/
    )
  })

  it.each([
    ['store', 'late', 'v'],
    ['delete', 'late']
  ])('names an expiration in the past: %s', async (...args) => {
    const { exitCode, stderr } = await run([...args, '--expiration-time', '2020-01-31'])
    expect(exitCode).toBe(1)
    expect(stderr).toContain('refused: "late" would expire in the past: give a later')
  })

  it('names a later value in the place', async () => {
    await run(['store', 'long', 'v', '--ttl', '3h'])
    const { exitCode, stderr } = await run(['delete', 'long', '--ttl', '1h'])
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(/refused: "long" already holds a value until .*: use a longer --ttl/)
  })

  it.each([
    ['one', []],
    ['some', ['--subkey', 'alice']]
  ])('names a deletion that holds longer: of %s %j', async (key, subkey) => {
    await run(['store', key, 'yes', ...subkey])
    await run(['delete', key, ...subkey, '--ttl', '2h'])
    expect(await run(['store', key, 'no', ...subkey])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(
        /refused: "\w+"( \/ "alice")? was deleted, and the deletion holds .*: use a longer --ttl/
      )
    })
  })

  it('names the deletion of a subkey, whatever the other subkeys hold', async () => {
    await run(['store', 'visit', 'yes', '--subkey', 'bob', '--ttl', '3h'])
    await run(['delete', 'visit', '--subkey', 'alice', '--ttl', '2h'])
    const { exitCode, stderr } = await run(['store', 'visit', 'yes', '--subkey', 'alice'])

    expect(exitCode).toBe(1)
    expect(stderr).toMatch(/refused: "visit" \/ "alice" was deleted, and the deletion holds/)
  })

  it('names the deletion of all subkeys', async () => {
    await run(['delete', 'visits', '--ttl', '2h'])
    await run(['store', 'visits', 'yes', '--subkey', 'bob', '--ttl', '3h'])
    const { exitCode, stderr } = await run(['store', 'visits', 'yes', '--subkey', 'alice'])

    expect(exitCode).toBe(1)
    expect(stderr).toMatch(/refused: "visits" \/ "alice" was deleted, and the deletion holds/)
  })
})

describe('waggle peers', () => {
  it('lists the nodes that answer', async () => {
    const [, id] = node.address.split('/p2p/')
    expect(await answer(['peers'])).toMatchObject({
      peers: [{ id, addresses: [expect.any(String)] }]
    })
  })
})

describe('waggle ping', () => {
  async function ping(...addresses: string[]): Promise<{ exitCode: number | null; all: object[] }> {
    const { exitCode, stdout } = await waggle(['ping', '--json', ...addresses])
    const lines = stdout.trim().split('\n')
    return { exitCode, all: lines.map((line) => JSON.parse(line)) }
  }

  it('measures a node', async () => {
    const { exitCode, all } = await ping(node.address)
    const [{ clockSkewMs = Number.NaN } = {}] = all as { clockSkewMs?: number }[]

    expect(exitCode).toBe(0)
    expect(all).toEqual([
      {
        address: node.address,
        id: node.address.split('/p2p/')[1],
        roundTripsMs: Array.from({ length: 3 }, () => expect.any(Number)),
        clockSkewMs: expect.any(Number)
      }
    ])
    expect(Math.abs(clockSkewMs)).toBeLessThan(1000)
  })

  it('fails if one of several nodes does, whichever it is, and says why', async () => {
    const nobody = '127.0.0.1:1'
    const good = expect.objectContaining({ address: node.address, roundTripsMs: expect.any(Array) })
    // Its last line is the advice for this reason.
    const bad = { address: nobody, error: expect.stringMatching(/No process listens there.*$/) }

    expect(await ping(nobody, node.address)).toEqual({ exitCode: 1, all: [bad, good] })
    expect(await ping(node.address, nobody)).toEqual({ exitCode: 1, all: [good, bad] })
  })

  it('ends with the worst exit code of all nodes', async () => {
    expect(await ping('elsewhere', '127.0.0.1:1')).toMatchObject({ exitCode: 2 })
  })
})

describe('waggle id', () => {
  it('tells the peer id of the node of this machine', async () => {
    await using directory = await temporaryDirectory()
    const control = join(directory.path, 'node.sock')
    await using other = await served(['--control', control])
    const [, peerId] = other.address.split('/p2p/')
    const { stdout } = await waggle(['id', '--control', control, '--json'])

    expect(JSON.parse(stdout)).toEqual({ peerId, ownerTag: `[owner:${peerId}]` })
  })

  it('tells the peer id of a key, whose owner alone can write to places with its tag (R15)', async () => {
    await using directory = await temporaryDirectory()
    const [mine, other] = ['mine', 'other'].map((name) => join(directory.path, `${name}.key`))
    const { stdout } = await waggle(['id', mine ?? '', '--json'])
    const { ownerTag } = JSON.parse(stdout)
    const place = ['store', 'seats', '3', '--subkey', ownerTag]
    const stranger = await run([...place, '--ttl', '2h', '--identity', other ?? ''])

    expect(stranger.exitCode).toBe(1)
    expect(stranger.stderr).toMatch(/the place belongs to .*: pass that peer's --identity/)
    expect(await run([...place, '--identity', mine ?? ''])).toMatchObject({ exitCode: 0 })
    expect(await answer(['get', 'seats', '--subkey', ownerTag])).toMatchObject({ value: 3 })
  })
})

describe('a command', () => {
  it('writes no colours where there is no terminal', async () => {
    const { stdout, stderr } = await run(['get', 'nowhere'])
    expect(stdout + stderr).not.toContain('\u001b')
  })

  it('tells errors in JSON, too', async () => {
    const { exitCode, stderr } = await run(['get', 'nowhere', '--json'])
    expect({ exitCode, ...JSON.parse(stderr) }).toEqual({
      exitCode: 1,
      error: 'no value is stored under "nowhere", or it has expired'
    })
  })

  it('waits no longer than it is told', async () => {
    const silent = createServer().listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    const { exitCode, stderr } = await waggle([
      'get',
      'k',
      '-p',
      `127.0.0.1:${port}`,
      '--timeout',
      '0.5'
    ])
    silent.close()

    expect(exitCode).toBe(1)
    expect(stderr).toContain('no answer within 500 ms')
  })

  it('ends with 128 and the number of the signal that stops it', async () => {
    const silent = createServer().listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    await using running = new RunningWaggle(['get', 'k', '-p', `127.0.0.1:${port}`])
    await once(silent, 'connection')
    running.kill('SIGTERM')
    const ended = await running.ended()
    silent.close()

    expect(ended).toEqual({ exitCode: 143, stdout: '', stderr: '' })
  })

  it('gives up when nobody answers, and says what to do', async () => {
    const { exitCode, stderr } = await waggle(['get', 'k', '--initial-peers', '127.0.0.1:1'])
    expect(exitCode).toBe(1)
    expect(stderr).toContain('Start one with: waggle serve')
  })
})
