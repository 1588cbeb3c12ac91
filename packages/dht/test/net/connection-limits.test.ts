import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Libp2p } from '@libp2p/interface'
import { BootstrapError, DHT } from '@waggle/dht'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { MAX_CONNECTIONS_PER_PEER } from '../../src/node/connection-limits.ts'
import { MAX_PENDING_CONNECTIONS } from '../../src/node/pending-connections.ts'
import { endingProxy } from '../support/ending-proxy.ts'
import { basicServices, libp2pNode, PATIENCE } from '../support/libp2p-node.ts'
import { rejection } from '../support/rejection.ts'

const MAX_CONNECTIONS = 20

function portOf(dht: DHT): number {
  const components = dht.multiaddrs[0]?.getComponents() ?? []
  return Number(components.find(({ name }) => name === 'tcp')?.value)
}

describe('the connections of a node', () => {
  let dht: DHT

  beforeEach(async () => {
    dht = await DHT.create({
      libp2pOptions: { connectionManager: { maxConnections: MAX_CONNECTIONS } }
    })
  })

  afterEach(() => dht?.stop())

  it('are a few of one peer, the latest of them (N13e)', async () => {
    await using peer = await libp2pNode(basicServices())

    for (let i = 0; i < 3 * MAX_CONNECTIONS_PER_PEER; i++) {
      await peer.dial(dht.multiaddrs, { force: true })
    }

    const own = () => dht.libp2p.getConnections(peer.peerId)
    await vi.waitUntil(() => own().length === MAX_CONNECTIONS_PER_PEER, PATIENCE)
    const latest = peer.getConnections().at(-1)
    await expect(peer.services.ping.ping(dht.multiaddrs)).resolves.toBeDefined()
    expect(latest?.status).toBe('open')
  })

  it('leave room for newcomers: idle strangers give way, and are told (N13e)', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const strangers: Libp2p[] = []

    try {
      for (let i = 0; i < MAX_CONNECTIONS + 5; i++) {
        const stranger = await libp2pNode(basicServices())
        strangers.push(stranger)
        await stranger.dial(dht.multiaddrs)
      }

      await vi.waitUntil(() => dht.libp2p.getConnections().length < MAX_CONNECTIONS, PATIENCE)
      await using newcomer = await DHT.create({ clientMode: true, initialPeers: dht.multiaddrs })
      expect(await newcomer.store('key', 1, { ttl: 60 })).toBe(true)
      expect(String(warn.mock.calls[0]?.[0])).toContain('nearly all 20 connections are in use')
    } finally {
      warn.mockRestore()
      await Promise.all(strangers.map((stranger) => stranger.stop()))
    }
  })

  it('are not those that say nothing: anybody may join beside them (N13e)', async () => {
    const port = portOf(dht)
    const sockets: Socket[] = []

    for (let i = 0; i < MAX_PENDING_CONNECTIONS - 1; i++) {
      const socket = connect(port, '127.0.0.1').on('error', () => {})
      sockets.push(socket)
      await once(socket, 'connect')
    }

    // The one too many is let in, and the first of them is not waited for any longer.
    await using newcomer = await DHT.create({ clientMode: true, initialPeers: dht.multiaddrs })
    expect(newcomer.peers).toHaveLength(1)
    await vi.waitUntil(() => sockets.every(({ destroyed }) => destroyed), PATIENCE)
  })
})

describe('a node that takes no more connections', () => {
  it('is called full by the peers that try to join (N8g)', async () => {
    await using dht = await DHT.create({
      libp2pOptions: { connectionManager: { deny: ['/ip4/127.0.0.1'] } }
    })
    const initialPeers = dht.multiaddrs
    const error = await rejection(DHT.create({ initialPeers, bootstrapTimeoutMs: 2000 }))

    expect(error).toBeInstanceOf(BootstrapError)
    expect((error as BootstrapError).attempts[0]?.check).toMatch(/may be full.*maxConnections/)
  })
})

describe('a node that is too busy to finish a handshake', () => {
  // Before a byte, within each of the messages of multistream-select and noise, and behind them.
  it.each([0, 12, 24, 30, 60, 240, 300])(
    'lets peers in later, if it ends the connection after %i bytes (N10d)',
    async (bytes) => {
      await using dht = await DHT.create()
      await using proxy = await endingProxy(portOf(dht), { bytes, times: 2 })
      await using newcomer = await DHT.create({ clientMode: true, initialPeers: proxy.address })
      expect(newcomer.peers).toHaveLength(1)
      expect(proxy.ended).toBe(2)
    }
  )
})
