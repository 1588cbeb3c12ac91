import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Connection, Stream } from '@libp2p/interface'
import { DHT } from '@waggle/dht'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { CLOCK_PROTOCOL } from '../../src/clock/clock-messages.ts'
import { EXCHANGE_PROTOCOL } from '../../src/exchange/messages.ts'
import { RELAYED_CONNECTION_BYTES } from '../../src/node/relay.ts'
import { kadOf, knows, namedBy, PATIENCE, protocolsOf, UNHURRIED } from '../support/libp2p-node.ts'
import { freeAddress } from '../support/loopback.ts'
import { PeerProcess } from '../support/peer-process.ts'
import { keyWhere } from '../support/replica.ts'

const ECHO = '/test/echo/1.0.0'
const LONG_PATIENCE = { timeout: 45_000, interval: 50 }
const EVERYWHERE = { runOnLimitedConnection: true }

/** Serves an application's own protocol, which may run through relays. */
async function serveEcho(dht: DHT): Promise<void> {
  const echo = async (stream: Stream): Promise<void> => {
    for await (const chunk of stream) {
      stream.send(chunk)
    }

    await stream.close()
  }

  await dht.libp2p.handle(ECHO, echo, EVERYWHERE)
}

/** Sends bytes and returns the echo, which is shorter if the connection ends. */
async function echoOf(connection: Connection, bytes: Uint8Array): Promise<Uint8Array> {
  const stream = await connection.newStream(ECHO, EVERYWHERE)
  const echoed: Uint8Array[] = []
  const sending = (async () => {
    stream.send(bytes)
    await stream.close()
  })()

  try {
    for await (const chunk of stream) {
      echoed.push(chunk.subarray())
    }

    await sending
  } catch {
    await sending.catch(() => {})
  }

  return Buffer.concat(echoed)
}

/**
 * Lists the addresses through relays' TCP ports. Each has a counterpart through the WebSocket on that port.
 */
function circuitAddresses(dht: DHT): string[] {
  return dht.multiaddrs
    .map(String)
    .filter((address) => address.includes('/p2p-circuit/') && !address.includes('/ws/'))
}

describe('a node without a listening address', () => {
  let relay: DHT
  let hidden: DHT
  let other: DHT

  beforeAll(async () => {
    relay = await DHT.create({ serveRelay: true, ...UNHURRIED })
    hidden = await DHT.create({ relay: true, initialPeers: relay.multiaddrs, ...UNHURRIED })
    other = await DHT.create({ initialPeers: relay.multiaddrs, ...UNHURRIED })
    await vi.waitUntil(() => relay.stats().knownPeers === 1, PATIENCE)
  })

  afterAll(async () => {
    await Promise.all([hidden, other, relay].map((dht) => dht?.stop()))
  })

  it('is reached through a relay among its initial peers', async () => {
    expect(hidden.multiaddrs).toHaveLength(2)
    expect(circuitAddresses(hidden)).toHaveLength(1)
    expect(hidden.multiaddrs[0]?.toString()).toContain(`/p2p/${relay.peerId}/p2p-circuit/`)
    expect(other.libp2p.getConnections(hidden.peerId)).toEqual([])
    await serveEcho(hidden)

    const connection = await other.libp2p.dial(hidden.multiaddrs)
    const hello = new TextEncoder().encode('hello')
    expect(connection.limits).toBeDefined()
    expect(connection.remotePeer.equals(hidden.peerId)).toBe(true)
    expect(await echoOf(connection, hello)).toEqual(Buffer.from(hello))
  })

  it('counts as a client: it reads and writes, and holds nothing (N6)', async () => {
    expect(hidden.clientMode).toBe(true)
    const key = keyWhere([hidden, relay, other], ([nearest]) => nearest === hidden)

    expect(await other.store(key, 1, { ttl: 600 })).toBe(true)
    expect(await hidden.get(key, { latest: true })).toMatchObject({ value: 1 })
    expect(await hidden.store([key], 2, { ttl: 600 })).toBe(true)
    expect(await other.get([key], { latest: true })).toMatchObject({ value: 2 })
    expect(hidden.stats()).toMatchObject({ records: 0, bytes: 0 })
  })

  it("is in nobody's table, and nobody hands it on, though all are connected to it", async () => {
    await other.libp2p.dial(hidden.multiaddrs)
    const protocols = await protocolsOf(hidden, relay.libp2p)

    for (const protocol of [relay.libp2p, other.libp2p].map(kadOf).map((kad) => kad.protocol)) {
      expect(protocols).not.toContain(protocol)
    }

    expect(protocols).not.toContain(EXCHANGE_PROTOCOL)
    expect(protocols).not.toContain(CLOCK_PROTOCOL)
    expect([relay, other].map(({ libp2p }) => knows(libp2p, hidden.peerId))).toEqual([false, false])

    const signal = AbortSignal.timeout(20_000)
    const told = await namedBy(other.libp2p, relay.peerId, { signal })
    expect(told.map(({ id }) => id.toString())).not.toContain(hidden.peerId.toString())
    const nearest = await other.findNearestPeers(hidden.peerId.toString(), { count: 20 })
    expect(nearest.map(String)).toEqual([relay.peerId.toString()])
  })

  it('asks by direct connections, though one through a relay is there (N3)', async () => {
    await using hermit = await DHT.create({ ...UNHURRIED, serveRelay: true })
    await using shy = await DHT.create({ relay: true, initialPeers: hermit.multiaddrs })
    await using third = await DHT.create({ initialPeers: hermit.multiaddrs, ...UNHURRIED })
    const connection = await third.libp2p.dial(shy.multiaddrs)
    expect(connection.limits).toBeDefined()
    const key = keyWhere([hermit, third], ([nearest]) => nearest === third)

    expect(await shy.store(key, 1, { ttl: 600 })).toBe(true)
    expect(third.stats().records).toBe(1)
    expect(shy.libp2p.getConnections(third.peerId).some(({ limits }) => limits == null)).toBe(true)
  })

  it('is no way into the network, and an error says so (N8g)', async () => {
    const error = await DHT.create({ initialPeers: hidden.multiaddrs }).catch(String)

    expect(error).toContain(`${hidden.peerId} is reachable but does not serve`)
    expect(error).toContain('it is not a client')
  })

  it('gets so many bytes through a relay and no more, as others want it, too', async () => {
    await using server = await DHT.create({ serveRelay: true })
    await using shy = await DHT.create({ relay: true, initialPeers: server.multiaddrs })
    await using stranger = await DHT.create()
    await serveEcho(shy)
    const connection = await stranger.libp2p.dial(shy.multiaddrs)
    const few = new Uint8Array(20_000).fill(7)
    const many = new Uint8Array(2 * Number(RELAYED_CONNECTION_BYTES)).fill(7)

    expect(await echoOf(connection, few)).toHaveLength(few.length)
    expect((await echoOf(connection, many)).length).toBeLessThan(many.length)
    await expect.poll(() => connection.status, PATIENCE).not.toBe('open')
  })
})

describe('a node that is reached through a relay', () => {
  let directory: string

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'waggle-'))
  })

  afterAll(() => rm(directory, { recursive: true }))

  it('is so again when the relay was gone and is there again (N8h)', {
    timeout: 120_000
  }, async () => {
    const listenOn = await freeAddress()
    const identityPath = join(directory, 'relay.key')
    const options = { listenOn, identityPath, serveRelay: true }
    await using relay = await PeerProcess.start(options)
    await using hidden = await DHT.create({ relay: true, initialPeers: listenOn })
    await serveEcho(hidden)
    expect(circuitAddresses(hidden)).toHaveLength(1)

    await relay.kill()
    await expect.poll(() => circuitAddresses(hidden), LONG_PATIENCE).toEqual([])

    await using again = await PeerProcess.start(options)
    await expect.poll(() => circuitAddresses(hidden), LONG_PATIENCE).toHaveLength(1)
    await using other = await DHT.create({ initialPeers: again.multiaddrs })
    const connection = await other.libp2p.dial(hidden.multiaddrs)
    expect(await echoOf(connection, Uint8Array.of(1, 2, 3))).toHaveLength(3)
  })

  it('starts without a relay, and is reached when it meets one later', async () => {
    await using peer = await DHT.create()
    await using hidden = await DHT.create({
      relay: true,
      initialPeers: peer.multiaddrs,
      requestTimeoutMs: 300
    })
    expect(hidden.multiaddrs).toEqual([])
    expect(await hidden.store('key', 1, { ttl: 600 })).toBe(true)

    await using relay = await DHT.create({ serveRelay: true, initialPeers: peer.multiaddrs })
    await hidden.libp2p.dial(relay.multiaddrs)
    await expect.poll(() => circuitAddresses(hidden), PATIENCE).toHaveLength(1)
  })
})
