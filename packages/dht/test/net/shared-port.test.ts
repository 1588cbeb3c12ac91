import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { multiaddr } from '@multiformats/multiaddr'
import { DHT } from '@waggle/dht'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { MAX_PENDING_CONNECTIONS } from '../../src/node/pending-connections.ts'
import { MAX_HEAD_BYTES } from '../../src/transport/http-upgrade.ts'
import { frameOf, OPCODE } from '../../src/transport/websocket-frames.ts'
import { PATIENCE } from '../support/libp2p-node.ts'

const REQUEST = [
  'GET / HTTP/1.1',
  'Host: 127.0.0.1',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
  '\r\n'
].join('\r\n')

function portOf(dht: DHT): number {
  const [tcp] = dht.multiaddrs
  return Number(tcp?.getComponents().find(({ name }) => name === 'tcp')?.value)
}

async function socketTo(dht: DHT): Promise<Socket> {
  const socket = connect(portOf(dht), '127.0.0.1').on('error', () => {})
  await once(socket, 'connect')
  return socket
}

/** Sends bytes, and returns everything received until the other side ends the connection. */
async function answerTo(socket: Socket, bytes: string | Uint8Array): Promise<string> {
  const pieces: Buffer[] = []
  socket.on('data', (piece: Buffer) => pieces.push(piece))
  socket.write(bytes)
  await ended(socket)
  return Buffer.concat(pieces).toString('latin1')
}

/** Resolves when the connection has ended, by a reset, too. */
function ended(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()))
}

describe('a port that refuses TCP', () => {
  it('is not tried for a WebSocket in the same dial', async () => {
    await using gone = await DHT.create()
    await using dht = await DHT.create({ clientMode: true })
    const port = portOf(gone)
    await gone.stop()
    const tcp = multiaddr(`/ip4/127.0.0.1/tcp/${port}`)
    await expect(dht.libp2p.dial(tcp)).rejects.toThrow('ECONNREFUSED')

    const connected = vi.fn()
    const server = createServer(connected).listen(port, '127.0.0.1')
    await once(server, 'listening')
    await expect(dht.libp2p.dial(tcp.encapsulate('/ws'))).rejects.toThrow('ECONNREFUSED')
    expect(connected).not.toHaveBeenCalled()
    server.close()
  })
})

describe('the port of a node', () => {
  let dht: DHT

  beforeEach(async () => {
    dht = await DHT.create()
  })

  afterEach(() => dht?.stop())

  it('has an address for TCP and one for WebSockets, and serves both (N13n)', async () => {
    const id = `/p2p/${dht.peerId}`
    expect(dht.multiaddrs.map(String)).toEqual([
      `/ip4/127.0.0.1/tcp/${portOf(dht)}${id}`,
      `/ip4/127.0.0.1/tcp/${portOf(dht)}/ws${id}`
    ])
    const [tcp = '', ws = ''] = dht.multiaddrs
    await using one = await DHT.create({ clientMode: true, initialPeers: tcp })
    await using other = await DHT.create({ clientMode: true, initialPeers: ws })
    expect(await one.store('key', 'value', { ttl: 60 })).toBe(true)
    expect((await other.get('key'))?.value).toBe('value')
    expect(other.libp2p.getConnections().map(({ remoteAddr }) => String(remoteAddr))).toEqual([
      expect.stringContaining('/ws')
    ])
  })

  it('carries large values over WebSockets, and is dialled by a URL', async () => {
    const url = `ws://127.0.0.1:${portOf(dht)}`
    await using client = await DHT.create({ clientMode: true, initialPeers: url })
    const entries = Array.from({ length: 50 }, (_, i) => ({
      key: `key ${i}`,
      value: `${i}`.repeat(100_000),
      ttl: 60
    }))
    expect((await client.storeMany(entries)).every(Boolean)).toBe(true)
    const found = await client.getMany(entries.map(({ key }) => key))
    expect(found.map((one) => one?.value)).toEqual(entries.map(({ value }) => value))
  })

  it('is one, whether it is listened on as TCP, as WebSockets or as both', async () => {
    const listenOn = ['/ip4/127.0.0.1/tcp/0/ws']
    await using first = await DHT.create({ listenOn })
    expect(first.multiaddrs).toHaveLength(2)
    const port = portOf(first)
    await first.stop()
    await using both = await DHT.create({
      listenOn: [`/ip4/127.0.0.1/tcp/${port}`, `/ip4/127.0.0.1/tcp/${port}/ws`]
    })
    expect(both.multiaddrs).toHaveLength(2)
  })

  it('tells a browser that comes by what it is', async () => {
    const answer = await answerTo(await socketTo(dht), 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    expect(answer).toMatch(/^HTTP\/1\.1 426 .*A Waggle node runs here/s)
  })

  it('ends a WebSocket that breaks the protocol (N13n)', async () => {
    const text = frameOf(Buffer.from('text'), { opcode: OPCODE.text, isMasked: true })
    const answer = await answerTo(await socketTo(dht), Buffer.concat([Buffer.from(REQUEST), text]))
    expect(answer).toMatch(/^HTTP\/1\.1 101 /)
    expect(dht.libp2p.getConnections()).toEqual([])
  })

  it('answers at most one ping of what comes at once (N13n)', async () => {
    const ping = frameOf(Buffer.from('ping'), { opcode: OPCODE.ping, isMasked: true })
    const end = frameOf(Buffer.alloc(0), { opcode: OPCODE.close, isMasked: true })
    const pings = new Array<Uint8Array>(1000).fill(ping)
    const socket = await socketTo(dht)
    socket.once('data', () => socket.write(end))
    const answer = await answerTo(socket, Buffer.concat([Buffer.from(REQUEST), ...pings]))
    const pongs = answer.split('\x8a\x04ping').length - 1
    expect(pongs).toBeGreaterThan(0)
    expect(pongs).toBeLessThan(20)
  })

  it('ends a head that is too long at once (N13n)', async () => {
    const answer = await answerTo(
      await socketTo(dht),
      `GET / HTTP/1.1\r\nX-Long: ${'x'.repeat(MAX_HEAD_BYTES)}`
    )
    expect(answer).toBe('')
  })

  it('gives up half a request, however it goes on, and serves others meanwhile (N13n)', async () => {
    const half = await socketTo(dht)
    half.write(REQUEST.slice(0, 60))
    const slow = await socketTo(dht)
    const pace = setInterval(() => slow.write('X'), 50)
    slow.write('GET / HTTP/1.1\r\nX-Slow: ')
    const silent = await socketTo(dht)
    const ends = [half, slow, silent].map((socket) => ended(socket))
    await using client = await DHT.create({ clientMode: true, initialPeers: dht.multiaddrs })
    expect(await client.store('key', 1, { ttl: 60 })).toBe(true)
    await Promise.all(ends)
    clearInterval(pace)
  })

  it('holds no more beginnings of any kind than there are places (N13n)', async () => {
    const sockets = await Promise.all(
      Array.from({ length: MAX_PENDING_CONNECTIONS + 40 }, async (_, i) => {
        const socket = await socketTo(dht)
        socket.write(['GET', 'G', REQUEST.slice(0, 40), ''][i % 4] ?? '')
        return socket
      })
    )
    const open = () => sockets.filter((socket) => !socket.closed).length

    try {
      await vi.waitUntil(() => open() <= MAX_PENDING_CONNECTIONS, PATIENCE)
      await using client = await DHT.create({ clientMode: true, initialPeers: dht.multiaddrs })
      expect(await client.store('key', 1, { ttl: 60 })).toBe(true)
    } finally {
      for (const socket of sockets) {
        socket.destroy()
      }
    }
  })

  it('asks the gater about WebSockets, too (N13n)', async () => {
    const denied: string[] = []
    await using choosy = await DHT.create({
      libp2pOptions: {
        connectionGater: {
          denyInboundConnection: ({ remoteAddr }) => denied.push(String(remoteAddr)) > 0
        }
      }
    })
    const ws = choosy.multiaddrs.filter((address) => String(address).includes('/ws'))
    await expect(
      DHT.create({ clientMode: true, initialPeers: ws, bootstrapTimeoutMs: 500 })
    ).rejects.toThrow(/initial peer/)
    expect(denied[0]).toMatch(/\/ws$/)
  })
})
