import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePorts } from '../../../dht/test/support/loopback.ts'
import { temporaryDirectory } from '../../../dht/test/support/temporary-directory.ts'
import { type Served, served } from '../support/served.ts'
import { RunningWaggle, waggle } from '../support/waggle-process.ts'

let node: Served

beforeAll(async () => {
  node = await served()
})

afterAll(async () => {
  await node[Symbol.asyncDispose]()
})

describe('waggle watch', () => {
  it('prints what is there and each change, until Ctrl-C', async () => {
    const peer = ['-p', node.address]
    await waggle(['store', 'news', 'first', ...peer])
    await using watching = new RunningWaggle(['watch', 'news', '--json', ...peer])
    await watching.line(/"value":"first"/)
    await waggle(['store', 'news', 'second', '--ttl', '2h', ...peer])
    await watching.line(/"value":"second"/)
    await waggle(['delete', 'news', '--ttl', '3h', ...peer])
    await watching.line(/"gone":true/)
    watching.kill('SIGINT')

    expect(await watching.ended()).toMatchObject({ exitCode: 0, stderr: '' })
  })

  it('says at once that nothing is there', async () => {
    const { stdout } = await waggle(['watch', 'nothing', '-n', '1', '-p', node.address])
    expect(stdout).toMatch(/^\d\d:\d\d:\d\d {2}nothing\n$/)
  })

  it('prints one subkey of a dictionary, and no change of the others', async () => {
    const peer = ['-p', node.address]
    const answer = (subkey: string, value: string, ttl: string) =>
      waggle(['store', 'guests', value, '--subkey', subkey, '--ttl', ttl, ...peer])
    await answer('alice', 'yes', '1h')
    await using watching = new RunningWaggle([
      ...['watch', 'guests', '--subkey', 'alice', '-n', '2', '--json', ...peer]
    ])
    await watching.line(/"value":"yes"/)
    await answer('bob', 'maybe', '1h')
    await answer('alice', 'no', '2h')
    await watching.line(/"value":"no"/)

    expect(await watching.ended()).toMatchObject({ exitCode: 0 })
    expect(watching.lines.join()).not.toContain('maybe')
  })

  it('ends after so many changes', async () => {
    await waggle(['store', 'soon', 'now', '-p', node.address])
    const { exitCode, stdout } = await waggle(['watch', 'soon', '-n', '1', '-p', node.address])
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^\d\d:\d\d:\d\d {2}"now"\n$/)
  })
})

describe('waggle party', () => {
  it('has all guests of a machine see each other, and goes on without those who leave or are killed', async () => {
    const env = { WAGGLE_LOCAL_PORT: String(await freePorts(10)) }
    await using alice = new RunningWaggle(['party', 'alice'], { env })
    await alice.line(/alice is here and says yes/)
    await using bob = new RunningWaggle(['party', 'bob', '--answer', 'no'], { env })
    await using carol = new RunningWaggle(['party', 'carol'], { env })
    await Promise.all([alice, bob, carol].map((guest) => guest.line(/here: alice, bob, carol$/)))

    alice.kill('SIGKILL')
    await Promise.all([bob, carol].map((guest) => guest.line(/alice has gone; here: bob, carol$/)))

    await using dave = new RunningWaggle(['party', 'dave'], { env })
    await Promise.all([bob, carol, dave].map((guest) => guest.line(/here: bob, carol, dave$/)))

    bob.kill('SIGINT')
    expect(await bob.ended()).toMatchObject({ exitCode: 0, stderr: '' })
    await dave.line(/bob has gone; here: carol, dave$/)

    await using _again = new RunningWaggle(['party', 'bob'], { env })
    await dave.until((lines) => lines.filter((line) => /bob is here/.test(line)).slice(1))
  })
})

describe('waggle top', () => {
  it('says that it needs a terminal', async () => {
    await using directory = await temporaryDirectory()
    const control = `${directory.path}/node.sock`
    await using _node = await served(['--control', control])
    const { exitCode, stderr } = await waggle(['top', '--control', control])

    expect(exitCode).toBe(1)
    expect(stderr).toContain('top needs a terminal. Programs can use --json')
  })

  it('tells programs every second', async () => {
    await using directory = await temporaryDirectory()
    const control = `${directory.path}/node.sock`
    await using node = await served(['--control', control])
    await using top = new RunningWaggle(['top', '--control', control, '--json'])
    await waggle(['store', 'seen', '1', '-p', node.address])
    const line = await top.line(/"key":"\\"seen\\""/)

    expect(JSON.parse(line).counters).toMatchObject({
      stored: 1,
      receivedBytes: expect.any(Number)
    })
    top.kill('SIGTERM')
    expect(await top.ended()).toMatchObject({ exitCode: 0 })
  })
})
