import { chown, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { DHT } from '@waggle/dht'
import { describe, expect, it, vi } from 'vitest'
import { freeAddress, freePorts } from '../../../dht/test/support/loopback.ts'
import { temporaryDirectory } from '../../../dht/test/support/temporary-directory.ts'
import { served } from '../support/served.ts'
import { RunningWaggle, waggle, waggleInto } from '../support/waggle-process.ts'

describe('waggle serve', () => {
  it.concurrent.each(['SIGINT', 'SIGTERM'] as const)('stops cleanly on %s', async (signal) => {
    await using node = await served()
    node.process.kill(signal)
    const { exitCode, stderr } = await node.process.ended()

    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(node.events().at(-1)).toEqual({ event: 'stopping', signal })
  })

  it('says what to pass to others, and what it knows and holds', async () => {
    await using node = new RunningWaggle([
      'serve',
      '--listen-on',
      '127.0.0.1:0',
      '--refresh-period',
      '0.1'
    ])
    const [, address = ''] = /--initial-peers (\S+)/.exec(await node.line(/--initial-peers/)) ?? []
    await waggle(['store', 'k', 'v', '--initial-peers', address])

    await node.line(/Local storage contains 1 key,/)
    expect(node.lines.join('\n')).toContain(
      '1 Waggle node (including this one) is in the local routing table'
    )
  })

  it('comes back as the same peer with what it held', async () => {
    await using directory = await temporaryDirectory()
    const args = ['--data-dir', join(directory.path, 'data')]
    const first = await served(args)
    await waggle(['store', 'kept', 'yes', '--initial-peers', first.address])
    first.process.kill('SIGTERM')
    await first.process.ended()
    await using second = await served(args)

    expect(second.address.split('/p2p/')[1]).toBe(first.address.split('/p2p/')[1])
    expect(await waggle(['get', 'kept', '--initial-peers', second.address])).toMatchObject({
      exitCode: 0,
      stdout: '"yes"\n'
    })
  })

  it('joins the network of its initial peers', async () => {
    await using first = await served()
    await using second = await served(['--initial-peers', first.address])

    expect(JSON.parse(await second.process.line(/"knownPeers":[1-9]/))).toMatchObject({
      event: 'status',
      peers: 1
    })
  })

  it('says what is wrong with initial peers, and goes on trying', async () => {
    const missing = await freeAddress()
    await using node = await served(['--initial-peers', missing])
    const told = JSON.parse(await node.process.line(/"event":"alone"/))
    expect(told.attempts).toMatchObject([{ error: expect.stringContaining('ECONNREFUSED') }])

    await using _late = await served(['--listen-on', missing])
    await node.process.line(/"knownPeers":1/)
  })

  it('serves metrics for Prometheus', async () => {
    await using node = await served(['--metrics-port', '0'])
    const url = String(node.events().find(({ event }) => event === 'started')?.metricsUrl)
    const response = await fetch(url)
    const text = await response.text()

    expect(response.headers.get('content-type')).toMatch(/^text\/plain/)
    expect(text).toMatch(/^process_resident_memory_bytes \d+/m)
    expect(text).toMatch(/^libp2p_\w+/m)
  })

  it('tells its own user what it holds', async () => {
    await using directory = await temporaryDirectory()
    const control = join(directory.path, 'node.sock')
    await using node = await served(['--control', control])
    await waggle(['store', 'seen', 'yes', '--initial-peers', node.address])
    const { stdout } = await waggle(['stats', '--control', control, '--json'])

    expect(JSON.parse(stdout)).toMatchObject({ pid: node.process.pid, stats: { records: 1 } })
  })

  it.each([
    ['serves clients that can dial only a part of the servers', [], true],
    ['leaves them to others with --no-serve-gateway', ['--no-serve-gateway'], false]
  ])('%s', async (_what, args, isGateway) => {
    await using node = await served(args)
    await using client = await DHT.create({ clientMode: true, initialPeers: [node.address] })
    const protocols = await vi.waitUntil(async () => {
      const [peer] = await client.libp2p.peerStore.all()
      return peer?.protocols.some((protocol) => protocol.includes('waggle')) && peer.protocols
    })

    expect(protocols.some((protocol) => protocol.includes('gateway'))).toBe(isGateway)
  })

  it('deletes no file other than a socket (--control)', async () => {
    await using directory = await temporaryDirectory()
    const control = join(directory.path, 'thesis.txt')
    await writeFile(control, 'years of work')
    const args = ['serve', '--listen-on', '127.0.0.1:0', '--control', control]
    const { exitCode, stderr } = await waggle(args)

    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: `waggle: --control: ${control} is a file, not a socket: choose another path\n`
    })
    expect(await readFile(control, 'utf8')).toBe('years of work')
  })

  it('replaces the socket of a node that was killed, and keeps other users out', async () => {
    await using directory = await temporaryDirectory()
    const control = join(directory.path, 'node.sock')
    const first = await served(['--control', control])
    first.process.kill('SIGKILL')
    await first.process.ended()
    await using second = await served(['--control', control])
    const { stdout } = await waggle(['stats', '--control', control, '--json'])

    expect(JSON.parse(stdout)).toMatchObject({ pid: second.process.pid })
    expect((await stat(control)).mode & 0o077).toBe(0)
  })

  it('says that an address is taken', async () => {
    await using node = await served()
    const [, port] = /tcp\/(\d+)/.exec(node.address) ?? []
    const { exitCode, stderr } = await waggle(['serve', '--listen-on', `127.0.0.1:${port}`])

    expect(exitCode).toBe(1)
    expect(stderr).toMatch(/--listen-on: can't listen on .*Choose another address/)
  })
})

/** Isolates the command from other nodes of the machine, as far as it looks for them. */
async function surroundings(TMPDIR: string) {
  return { WAGGLE_LOCAL_PORT: String(await freePorts(10)), TMPDIR }
}

describe('--local-port', () => {
  it('tells apart what runs on a machine, for every command that looks for a node', async () => {
    await using directory = await temporaryDirectory()
    const env = { TMPDIR: directory.path }
    const one = await freePorts(20)
    const other = one + 10
    await using first = await aloneOn(one, env)
    await using _second = await aloneOn(other, env)
    const stored = await waggle(['store', 'here', '1', '--local-port', String(one)], { env })
    expect(stored).toMatchObject({ exitCode: 0 })
    const told = async (command: string, port: number) => {
      const args = [command, '--local-port', String(port)]
      const { stdout, stderr } = await waggleInto('head -n 1', [...args, '--json'], { env })
      return stdout || stderr
    }

    expect(await told('stats', one)).toContain(`"pid":${first.pid}`)
    expect(await told('top', one)).toContain(`"pid":${first.pid}`)
    expect(await told('id', one)).toContain('"peerId"')
    expect(await told('export', one)).toContain('"here"')
    expect(await told('export', other)).toContain('"entries":0')
    expect(await told('stats', 1)).toMatch(/no node on this machine has --local-port 1\. Running: /)
  })

  it('takes precedence over its variable, and is not needed with --node', async () => {
    await using directory = await temporaryDirectory()
    const port = await freePorts(10)
    const env = { TMPDIR: directory.path, WAGGLE_LOCAL_PORT: '1' }
    await using node = await aloneOn(port, env)

    expect((await waggle(['stats'], { env })).exitCode).toBe(1)
    expect((await waggle(['stats', '--node', String(node.pid)], { env })).exitCode).toBe(0)
    expect((await waggle(['stats', '--local-port', String(port)], { env })).exitCode).toBe(0)
  })
})

async function aloneOn(port: number, env: Record<string, string>): Promise<RunningWaggle> {
  const node = new RunningWaggle(['serve', '--json', '--local-port', String(port)], { env })
  await node.line(/"event":"started"/)
  return node
}

describe('nodes of one machine', () => {
  it('may start at the same moment', async () => {
    await using directory = await temporaryDirectory()
    const env = await surroundings(directory.path)
    await using first = new RunningWaggle(['serve', '--json'], { env })
    await using second = new RunningWaggle(['serve', '--json'], { env })
    await using third = new RunningWaggle(['serve', '--json'], { env })

    await Promise.all([first, second, third].map((node) => node.line(/"event":"started"/)))
  })

  it('find each other, and are found, without any option', async () => {
    await using directory = await temporaryDirectory()
    const env = await surroundings(directory.path)
    await using first = new RunningWaggle(['serve', '--json'], { env })
    await first.line(/"event":"started"/)
    await using second = new RunningWaggle(['serve', '--json'], { env })
    await second.line(/"knownPeers":1/)

    expect(await waggle(['store', 'k', 'v'], { env })).toMatchObject({ exitCode: 0 })
    expect(await waggle(['get', 'k'], { env })).toMatchObject({ exitCode: 0, stdout: '"v"\n' })
    const { exitCode, stderr } = await waggle(['stats'], { env })
    expect(exitCode).toBe(1)
    expect(stderr).toContain('2 nodes run on this machine; choose one with --node')
  })

  it('are found beside one that is frozen', async () => {
    await using directory = await temporaryDirectory()
    const env = await surroundings(directory.path)
    await using frozen = await served([], { env })
    await using node = await served([], { env })
    frozen.process.kill('SIGSTOP')
    const { exitCode, stdout } = await waggle(['stats', '--json'], { env })

    expect(exitCode).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ pid: node.process.pid })
  })

  it('are not looked for where another user has put the folder', async ({ skip }) => {
    skip(process.getuid?.() !== 0, 'as only root can give a folder to another user')
    await using directory = await temporaryDirectory()
    const folder = join(directory.path, 'waggle-0')
    await mkdir(folder)
    await writeFile(join(folder, '1.sock'), '')
    await chown(folder, 65_534, 65_534)
    const { exitCode, stderr } = await waggle(['stats'], { env: { TMPDIR: directory.path } })

    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: expect.stringContaining(`${folder} belongs to another user: remove it`)
    })
  })
})
