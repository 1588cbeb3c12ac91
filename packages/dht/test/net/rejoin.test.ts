import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join as pathOf } from 'node:path'
import type { Libp2p, ServiceMap } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { DHT, type Waggle, waggle, waggleKadDHT } from '@waggle/dht'
import { testnet } from '@waggle/dht/testnet'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { join } from '../../src/join/join.ts'
import type { PeerMemory } from '../../src/persistence/peer-memory.ts'
import { findWaggle } from '../../src/service/find-waggle.ts'
import { basicServices, libp2pNode, PATIENCE, UNHURRIED } from '../support/libp2p-node.ts'
import { freeAddress } from '../support/loopback.ts'
import { peerNumber } from '../support/numbered-peers.ts'
import { PeerProcess } from '../support/peer-process.ts'
import { tcpGate } from '../support/tcp-gate.ts'

/** Options of a wait for a node that has lost peers: up to ten seconds between two attempts. */
const LONG_PATIENCE = { timeout: 45_000, interval: 50 }

/** Options by which a dead connection is noticed soon. */
const ATTENTIVE = {
  libp2pOptions: {
    connectionMonitor: {
      pingInterval: 300,
      pingTimeout: { minTimeout: 1000, maxTimeout: 1000 }
    }
  }
}

function peersOf(dht: DHT): string[] {
  return dht.peers.map(String).sort()
}

describe('a node that lost all its peers', () => {
  let directory: string

  beforeAll(async () => {
    directory = await mkdtemp(pathOf(tmpdir(), 'waggle-'))
  })

  afterAll(() => rm(directory, { recursive: true }))

  it('goes back to its initial peer when that is there again, under another id (N8h)', async () => {
    const listenOn = await freeAddress()
    await using first = await PeerProcess.start({ listenOn })
    await using node = await DHT.create({ initialPeers: listenOn })
    await first.kill()
    await expect.poll(() => peersOf(node), PATIENCE).toEqual([])

    await using second = await PeerProcess.start({ listenOn })
    await second.store('key', 'stored meanwhile', { ttl: 600 })
    await expect.poll(() => peersOf(node), LONG_PATIENCE).toHaveLength(1)
    await expect.poll(() => node.get('key'), PATIENCE).toMatchObject({ value: 'stored meanwhile' })
  })

  it('asks its initial peer, when that is back, for the peers that it has met meanwhile (N8h)', async () => {
    const listenOn = await freeAddress()
    const identityPath = pathOf(directory, 'initial.key')
    await using first = await PeerProcess.start({ listenOn, identityPath })
    await using node = await DHT.create({ initialPeers: listenOn })
    const waggle = findWaggle(node.libp2p.services) as Waggle
    await first.kill()
    // The peer is lost only after a failed dial. One that returns earlier has only been disconnected.
    await expect.poll(() => node.stats().knownPeers, PATIENCE).toBe(0)
    const met = vi.spyOn(waggle, 'discover')

    await using again = await PeerProcess.start({ listenOn, identityPath })
    await expect.poll(() => peersOf(node), LONG_PATIENCE).toHaveLength(1)
    await expect.poll(() => met.mock.calls.map(String), PATIENCE).toContain(peersOf(node)[0])
    expect(again.multiaddrs.join()).toContain(peersOf(node)[0])
  })

  it('goes back to a peer that it met, when the initial one stays away (N8h)', async () => {
    const listenOn = await freeAddress()
    const identityPath = pathOf(directory, 'met.key')
    await using initial = await PeerProcess.start()
    await using met = await PeerProcess.start({
      listenOn,
      identityPath,
      initialPeers: initial.multiaddrs
    })
    await using node = await DHT.create({ initialPeers: initial.multiaddrs })
    await expect.poll(() => node.stats().knownPeers, PATIENCE).toBe(2)
    await Promise.all([initial.kill(), met.kill()])
    await expect.poll(() => peersOf(node), PATIENCE).toEqual([])
    // Without addresses, libp2p, kad-dht and upkeep cannot dial lost peers.
    const { peerStore } = node.libp2p
    await Promise.all((await peerStore.all()).map(({ id }) => peerStore.delete(id)))

    await using again = await PeerProcess.start({ listenOn, identityPath })
    await expect.poll(() => peersOf(node), LONG_PATIENCE).toHaveLength(1)
    expect(again.multiaddrs.join()).toContain(peersOf(node)[0])
    expect(again.multiaddrs).toEqual(met.multiaddrs)
  })

  it('rejoins when the network that went away is there again (N8h)', async () => {
    const target = await freeAddress()
    await using gate = await tcpGate(() => target)
    await using peer = await DHT.create({ listenOn: target, announce: gate.address, ...ATTENTIVE })
    await using node = await DHT.create({ initialPeers: gate.address, listenOn: [], ...ATTENTIVE })

    gate.cut()
    await expect.poll(() => peersOf(node), PATIENCE).toEqual([])
    await expect.poll(() => peersOf(peer), PATIENCE).toEqual([])

    gate.mend()
    await expect.poll(() => peersOf(node), LONG_PATIENCE).toEqual([peer.peerId.toString()])
    await peer.store('key', 'stored meanwhile', { ttl: 600 })
    await expect
      .poll(() => node.get('key', { latest: true }), PATIENCE)
      .toMatchObject({ value: 'stored meanwhile' })
  })

  it('stops at once while it tries (N8h)', async () => {
    await using first = await PeerProcess.start()
    const node = await DHT.create({ initialPeers: first.multiaddrs })
    await first.kill()
    await expect.poll(() => peersOf(node), PATIENCE).toEqual([])
    await node.stop()

    expect(node.libp2p.status).toBe('stopped')
  })
})

describe('a node that remembers the peers that it met', () => {
  const forever = new AbortController().signal
  const OPTIONS = { requireBootstrap: true, strictClock: false, signal: undefined }

  it('joins through one of them at its next start, initial peers or not (N8h)', async () => {
    await using initial = await DHT.create()
    await using met = await DHT.create({ initialPeers: initial.multiaddrs })
    let saved: readonly string[] = []
    const memory: PeerMemory = {
      load: async () => saved,
      save: async (addresses) => {
        saved = addresses
      }
    }

    for (const initialPeers of [initial.multiaddrs, [], [multiaddr('/ip4/127.0.0.1/tcp/1')]]) {
      const { node, waggle } = await unjoinedNode()
      const lifetime = new AbortController()
      const membership = await join({
        ...OPTIONS,
        node,
        waggle,
        initialPeers,
        memory,
        bootstrapTimeoutMs: 20_000,
        lifetime: lifetime.signal
      })
      await expect.poll(() => waggle.joinedPeers, PATIENCE).toHaveLength(2)
      lifetime.abort()
      await membership.flush()
      await node.stop()
      expect(saved.join()).toContain(met.peerId.toString())
    }
  })

  it('starts alone when all of them are gone, as it would without any (N8h)', async () => {
    const { node, waggle } = await unjoinedNode()
    const gone = `/ip4/127.0.0.1/tcp/1/p2p/${peerNumber(1)}`
    await join({
      ...OPTIONS,
      node,
      waggle,
      initialPeers: [],
      memory: { load: async () => [gone], save: async () => {} },
      bootstrapTimeoutMs: 20_000,
      lifetime: forever
    })

    expect(waggle.joinedPeers).toEqual([])
    await node.stop()
  })

  async function unjoinedNode(): Promise<{ node: Libp2p<ServiceMap>; waggle: Waggle }> {
    const node = await libp2pNode({ ...basicServices(), dht: waggleKadDHT(), waggle: waggle() })
    return { node, waggle: node.services.waggle }
  }
})

describe('two networks that formed apart', () => {
  const SIZE = 4

  it('become one when one peer dials one of the other (N8i)', { timeout: 120_000 }, async () => {
    await using bees = await testnet(SIZE, UNHURRIED)
    await using wasps = await testnet(SIZE, UNHURRIED)
    await storeInEach(bees.nodes, 'bee')
    await storeInEach(wasps.nodes, 'wasp')

    await bees.nodes[1]?.libp2p.dial(wasps.nodes[2]?.multiaddrs ?? [])

    await expectOneNetwork([...bees.nodes, ...wasps.nodes], ['bee', 'wasp'])
  })

  it('become one when an initial peer that was missing appears (N8i)', {
    timeout: 120_000
  }, async () => {
    const missing = await freeAddress()
    await using first = await DHT.create({
      initialPeers: missing,
      requireBootstrap: false,
      ...UNHURRIED
    })
    await using second = await DHT.create({ initialPeers: first.multiaddrs, ...UNHURRIED })
    await using late = await DHT.create({ listenOn: missing, ...UNHURRIED })
    await using later = await DHT.create({ initialPeers: missing, ...UNHURRIED })

    await expectOneNetwork([first, second, late, later], [])
  })

  async function storeInEach(nodes: readonly DHT[], name: string): Promise<void> {
    for (const [i, node] of nodes.entries()) {
      expect(await node.store([name, i], i, { ttl: 600 })).toBe(true)
    }
  }

  async function expectOneNetwork(nodes: readonly DHT[], names: readonly string[]): Promise<void> {
    const known = (): number[] => nodes.map((node) => node.stats().knownPeers)
    await expect.poll(known, LONG_PATIENCE).toEqual(nodes.map(() => nodes.length - 1))
    const keys = names.flatMap((name) => Array.from({ length: SIZE }, (_, i) => [name, i]))

    for (const node of nodes) {
      const found = await node.getMany(keys)
      expect(found.map((one) => one?.value)).toEqual(keys.map(([, i]) => i))
    }
  }
})
