import { once } from 'node:events'
import { get } from 'node:http'
import { connect, type Socket } from 'node:net'
import process from 'node:process'
import { DHT } from '@waggle/dht'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startBoundedServer } from '../../src/http/bounded-server.ts'
import { nodeMetrics } from '../../src/metrics.ts'
import { RunningWaggle, waggle } from '../support/waggle-process.ts'

/** Readers that ask at once, each of whom reads nothing. */
const SLOW_READERS = 50

describe('the metrics of a node', () => {
  let endpoint: Awaited<ReturnType<ReturnType<typeof nodeMetrics>['serve']>>
  let sockets: Socket[]

  beforeEach(async () => {
    endpoint = await nodeMetrics().serve(0, '127.0.0.1')
    sockets = []
  })

  afterEach(async () => {
    for (const socket of sockets) {
      socket.destroy()
    }

    await endpoint?.[Symbol.asyncDispose]()
  })

  it('are gathered once in a second, for any number of readers (N13h)', async () => {
    const [first, second] = await Promise.all([fetch(endpoint.url), fetch(endpoint.url)])
    expect([first.status, second.status]).toEqual([200, 200])
    expect(await first.text()).toBe(await second.text())
  })

  it.each([
    [{ host: 'rebound.example' }, 403],
    [{ host: 'localhost:1', 'sec-fetch-site': 'cross-site' }, 403],
    [{ host: 'localhost:1' }, 200]
  ])('are for no page of another site: %j is answered with %i (N13h)', async (headers, status) => {
    const { port } = new URL(endpoint.url)
    const options = { host: '127.0.0.1', port, path: '/metrics', headers }
    const [{ statusCode }] = await once(get(options), 'response')
    expect(statusCode).toBe(status)
  })

  it('are read by a few at once, of which the oldest give way: no reader is kept out (N13h)', async () => {
    const { port } = new URL(endpoint.url)
    const closed = Array.from({ length: SLOW_READERS }, async () => {
      const socket = connect(Number(port), '127.0.0.1').on('error', () => {})
      sockets.push(socket)
      socket.pause()
      await once(socket, 'connect')
      socket.write('GET /metrics HTTP/1.1\r\nhost: a\r\n\r\n')
    })
    await Promise.all(closed)
    expect((await fetch(endpoint.url)).status).toBe(200)
    await expect
      .poll(() => {
        for (const socket of sockets) {
          socket.resume()
        }

        return sockets.filter(({ closed: isClosed }) => isClosed).length
      })
      .toBeGreaterThanOrEqual(SLOW_READERS - 16)
  })
})

describe.runIf(process.platform === 'linux')('a server with few connections', () => {
  it('closes the oldest of the host that has most: no host locks out another (N13h)', async () => {
    const init = { host: '0.0.0.0', port: 0, option: '--http', maxConnections: 4 }
    await using server = await startBoundedServer(init, (_, response) => response.end('hello'))
    const port = Number(new URL(server.url).port)
    const open = async (localAddress: string): Promise<Socket> => {
      const socket = connect({ port, host: '127.0.0.1', localAddress }).on('error', () => {})
      await once(socket, 'connect')
      return socket
    }
    const modest = await open('127.0.0.2')
    const greedy: Socket[] = []

    for (let i = 0; i < 20; i++) {
      greedy.push(await open('127.0.0.3'))
    }

    await expect.poll(() => greedy.filter(({ closed }) => closed).length).toBe(17)
    modest.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n')
    const [answer] = await once(modest, 'data')
    expect(String(answer)).toContain('200 OK')

    for (const socket of [modest, ...greedy]) {
      socket.destroy()
    }
  })
})

describe('a server', () => {
  it('answers the requests of a connection one by one, and ends one that does not wait (N13h)', async () => {
    let answered = 0
    const init = { host: '127.0.0.1', port: 0, option: '--http' }
    await using server = await startBoundedServer(init, (_, response) => {
      answered++
      setImmediate(() => response.end('hello'))
    })
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1').on('error', () => {})
    const request = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n'

    for (const expected of [1, 2]) {
      socket.write(request)
      await once(socket, 'data')
      expect(answered).toBe(expected)
    }

    socket.write(request.repeat(1000))
    await once(socket, 'close')
    expect(answered).toBe(3)
  })
})

describe('the metrics of a node with a collector that throws', () => {
  it('are answered with an error, and the node goes on', async () => {
    const metrics = nodeMetrics()
    await using dht = await DHT.create({ listenOn: [], metrics: metrics.factory })
    await using endpoint = await metrics.serve(0, '127.0.0.1')
    dht.libp2p.metrics?.registerMetric('broken', {
      calculate() {
        throw new Error('no figure is known')
      }
    })

    const { status } = await fetch(endpoint.url, { signal: AbortSignal.timeout(10_000) })
    expect(status).toBe(500)
    expect((await fetch(new URL('/', endpoint.url))).status).toBe(404)
  })
})

describe.runIf(process.platform === 'linux')('waggle, given a file that never ends', () => {
  it('says that it is no key (N13h)', async () => {
    const { exitCode, stderr } = await waggle(['id', '/dev/zero'])
    expect(exitCode).toBe(1)
    expect(stderr).toContain('/dev/zero: it is not a regular file')
  })

  it('reads no more of a network key than it needs (N13h)', async () => {
    const { exitCode, stderr } = await waggle(['ping', '127.0.0.1:1', '--swarm-key', '/dev/zero'])
    expect(exitCode).not.toBe(0)
    expect(stderr).toContain('--swarm-key must be')
  })
})

describe('waggle, told to stop twice', () => {
  it('ends at once, whatever the second signal is (N13h)', async () => {
    await using running = new RunningWaggle(['serve', '--listen-on', '127.0.0.1:0'])
    await running.line(/--initial-peers/)
    running.kill('SIGINT')
    running.kill('SIGTERM')
    const { exitCode } = await running.ended()
    // The first may have been enough by then, and two signals that wait for a process have no order.
    expect([0, 128 + 2, 128 + 15]).toContain(exitCode)
  })
})
