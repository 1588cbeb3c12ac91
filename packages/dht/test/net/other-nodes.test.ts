import { inspect } from 'node:util'
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { identifyPush } from '@libp2p/identify'
import type { KadDHT } from '@libp2p/kad-dht'
import { yamux } from '@libp2p/yamux'
import { DHT, waggle, waggleKadDHT } from '@waggle/dht'
import { createLibp2p } from 'libp2p'
import { describe, expect, it } from 'vitest'
import { assertLibp2p } from '../../src/kad/libp2p-version.ts'
import { coalescingMuxer } from '../../src/node/coalescing-muxer.ts'
import { turns } from '../support/end-of-turn.ts'
import {
  basicServices,
  type DisposableNode,
  kadOf,
  libp2pNode,
  PATIENCE
} from '../support/libp2p-node.ts'
import { turnsIn } from '../support/turns-in.ts'

const ECHO = '/echo/1.0.0'
const MANY = { maxInboundStreams: 256, maxOutboundStreams: 256 }

function ownNode(kad: Parameters<typeof waggleKadDHT>[0] = {}) {
  return libp2pNode({
    ...basicServices(),
    identifyPush: identifyPush(),
    dht: waggleKadDHT(kad),
    waggle: waggle()
  })
}

describe('waggleKadDHT', () => {
  it('leaves time for other work to random walks while no peer is known (N8k)', async () => {
    await using node = await ownNode()
    const routing = node.peerRouting
    let walks = 0
    let isOver = false
    const walking = (async () => {
      while (!isOver) {
        walks++

        for await (const _ of routing.getClosestPeers(new Uint8Array(32))) {
          break
        }
      }
    })()

    try {
      // Without rests between the walks, not even the second turn would come.
      await turns(20)
      expect(walks).toBeLessThan(10)
    } finally {
      isOver = true
      await walking
    }
  })

  it('is a server that becomes a client, and a client that becomes a server (N8k)', async () => {
    await using first = await DHT.create()
    await using node = await ownNode()
    const kad = kadOf(node)
    const dht = await DHT.create({ libp2p: node, initialPeers: first.multiaddrs })
    await expect.poll(() => first.stats().knownPeers, PATIENCE).toBe(1)
    expect(await first.store('key', 1, { ttl: 600 })).toBe(true)
    expect([...dht.heldRecords()]).toHaveLength(1)

    await kad.setMode('client')
    expect(dht.clientMode).toBe(true)
    expect([...dht.heldRecords()]).toEqual([])
    expect(node.getProtocols().filter((protocol) => protocol.includes('waggle'))).toEqual([])
    expect(await first.store('other', 2, { ttl: 600 })).toBe(true)
    expect([...dht.heldRecords()]).toEqual([])
    expect(await dht.get('other', { latest: true })).toMatchObject({ value: 2 })

    await kad.setMode('server')
    expect(dht.clientMode).toBe(false)
    expect(node.getProtocols()).toContain('/waggle/kad/1.0.0')
    await dht.stop()
  })

  it('is known to its neighbours as soon as a client becomes a server (N8k)', async () => {
    await using first = await ownNode()
    await using other = await ownNode()
    await using node = await ownNode({ clientMode: true })
    const server = await DHT.create({ libp2p: first })
    const initialPeers = first.getMultiaddrs()
    const second = await DHT.create({ libp2p: other, initialPeers })
    const dht = await DHT.create({ libp2p: node, initialPeers })
    await expect.poll(() => dht.stats().knownPeers, PATIENCE).toBe(2)
    expect(server.stats().knownPeers).toBe(1)

    await kadOf(node).setMode('server')
    await expect.poll(() => server.stats().knownPeers, PATIENCE).toBe(2)
    await expect.poll(() => second.stats().knownPeers, PATIENCE).toBe(2)
    expect(await server.store('key', 1, { ttl: 600 })).toBe(true)
    expect([...dht.heldRecords()]).toHaveLength(1)
    // The second connections are gone again.
    await expect.poll(() => node.getConnections().length, PATIENCE).toBe(2)
  })

  it('passes on what a server holds when it becomes a client (N8k)', async () => {
    await using node = await ownNode()
    const dht = await DHT.create({ libp2p: node })
    expect(await dht.store('key', 1, { ttl: 600 })).toBe(true)
    await using other = await DHT.create({ initialPeers: dht.multiaddrs })
    await expect.poll(() => dht.stats().knownPeers, PATIENCE).toBe(1)
    await kadOf(node).setMode('client')

    expect([...other.heldRecords()]).toHaveLength(1)
    await dht.stop()
  })

  it('keeps what it alone holds until it meets a server (N8k)', async () => {
    await using node = await ownNode()
    await using other = await DHT.create()
    const dht = await DHT.create({ libp2p: node })
    expect(await dht.store('key', 1, { ttl: 600 })).toBe(true)
    await kadOf(node).setMode('client')
    expect([...dht.heldRecords()]).toHaveLength(1)

    await node.dial(other.multiaddrs)
    await expect.poll(() => [...other.heldRecords()].length, PATIENCE).toBe(1)
    await expect.poll(() => [...dht.heldRecords()].length, PATIENCE).toBe(0)
    await dht.stop()
  })

  it('leaves the mode to kad-dht when clientMode is undefined', async () => {
    await using automatic = await ownNode({ clientMode: undefined })
    await using server = await ownNode()

    expect((automatic.services.dht as KadDHT).getMode()).toBe('client')
    expect((server.services.dht as KadDHT).getMode()).toBe('server')
  })

  it('refuses libp2p 2', () => {
    const components = { registrar: { handle() {} }, nodeInfo: { version: '2.10.0' } }
    expect(() => assertLibp2p(components)).toThrow(/needs libp2p 3.*2\.10\.0/)
  })
})

describe('a DHT', () => {
  it('is shown in every state', async () => {
    await using node = await ownNode()
    const dht = await DHT.create({ libp2p: node })
    expect(String(dht)).toContain('server')
    await node.stop()

    for (const shown of [dht, DHT.prototype, Object.create(DHT.prototype)]) {
      expect(() => [String(shown), inspect(shown)]).not.toThrow()
    }

    await dht.stop()
    expect(inspect(dht)).toContain('stopped')
  })
})

describe('a relay transport beside waggleKadDHT', () => {
  it('does not stop the event loop (N8k)', async () => {
    const node = await createLibp2p({
      addresses: { listen: ['/p2p-circuit'] },
      transports: [circuitRelayTransport()],
      streamMuxers: [yamux()],
      services: { ...basicServices(), dht: waggleKadDHT(), waggle: waggle() }
    })

    expect(await turnsIn(300)).toBeGreaterThan(5)
    await node.stop()
  })
})

describe('coalescingMuxer', () => {
  it.each([10, 30, 50])(
    'carries %i streams that are opened right after dialling',
    async (count) => {
      const streamMuxers = [coalescingMuxer(yamux())]
      await using far = await libp2pNode(basicServices(), { streamMuxers })
      await using near = await libp2pNode(basicServices(), {
        streamMuxers: [coalescingMuxer(yamux())]
      })
      await far.handle(ECHO, (stream) => void echo(stream), MANY)
      const connection = await near.dial(far.getMultiaddrs())
      const sizes = Array.from({ length: count }, () => talk(connection))

      expect(await Promise.all(sizes)).toEqual(new Array(count).fill(10))
    }
  )
})

type Connection = Awaited<ReturnType<DisposableNode['dial']>>
type Stream = Awaited<ReturnType<Connection['newStream']>>

async function echo(stream: Stream): Promise<void> {
  for await (const bytes of stream) {
    stream.send(bytes)
  }

  await stream.close()
}

async function talk(connection: Connection): Promise<number> {
  const stream = await connection.newStream(ECHO, MANY)
  stream.send(new Uint8Array(10))
  await stream.close()
  let sizeBytes = 0

  for await (const bytes of stream) {
    sizeBytes += bytes.byteLength
  }

  return sizeBytes
}
