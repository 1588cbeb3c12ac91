import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HivemindDHT, tuple } from '../../../hivemind/src/index.ts'
import { type Ended, RunningWaggle, waggle } from '../support/waggle-process.ts'

let node: HivemindDHT
let address: string

beforeAll(async () => {
  node = await HivemindDHT.create()
  address = String(node.multiaddrs[0])
})

afterAll(async () => {
  await node.stop()
})

function run(...args: readonly string[]): Promise<Ended> {
  return waggle([...args, '--hivemind', '--initial-peers', address])
}

describe('waggle --hivemind', () => {
  it('stores where Hivemind stores, and reads what is there', async () => {
    expect(await run('store', 'greeting', 'hello')).toMatchObject({ exitCode: 0, stderr: '' })
    expect((await node.get('greeting'))?.value).toBe('hello')
    await node.store('party', 'yes', { subkey: 'alice', ttl: 60 })
    expect((await run('get', 'party', '--latest', '--json')).stdout).toContain('"alice"')
  })

  it('takes an array as a key for a tuple', async () => {
    await run('store', '["layer", 3]', '7')
    expect((await node.get(tuple('layer', 3)))?.value).toBe(7)
    expect((await run('get', '["layer", 3]')).stdout).toBe('7\n')
  })

  it('lists peers and pings them', async () => {
    expect((await run('peers')).stdout).toContain(node.peerId.toString())
    const { stdout, exitCode } = await run('ping', '--json')
    expect(exitCode).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ id: node.peerId.toString() })
  })

  it('shows nodes live', async () => {
    await using top = new RunningWaggle(['top', '--json', '--hivemind', '-p', address])
    expect(await top.line(/nodes/)).toContain(node.peerId.toString())
  })

  it('needs a peer to join through', async () => {
    const { exitCode, stderr } = await waggle(['get', 'x', '--hivemind'])
    expect(exitCode).toBe(1)
    expect(stderr).toContain('--initial-peers')
  })
})
