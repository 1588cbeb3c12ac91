import type { Peer, PeerStore } from '@libp2p/interface'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type PeerStoreCacheComponents, peerStoreCache } from '../../src/node/peer-store-cache.ts'
import { basicServices, type DisposableNode, libp2pNode } from '../support/libp2p-node.ts'

const PING = '/ipfs/ping/1.0.0'

let merges: string[]
let other: DisposableNode

/** Makes a service that lists the protocols that libp2p has recorded. */
function listing({ peerStore }: { readonly peerStore: PeerStore }): object {
  const merge = peerStore.merge.bind(peerStore)
  peerStore.merge = (id, data, options) => {
    merges.push(...(data.protocols ?? []))
    return merge(id, data, options)
  }
  return {}
}

beforeEach(async () => {
  merges = []
  other = await libp2pNode(basicServices())
})

afterEach(async () => {
  vi.useRealTimers()
  await other[Symbol.asyncDispose]()
})

function notedPings(): number {
  return merges.filter((protocol) => protocol === PING).length
}

describe('peerStoreCache', () => {
  it('spares what libp2p notes for each stream', async () => {
    await using stock = await libp2pNode({ ...basicServices(), listing })
    await using node = await libp2pNode({
      ...basicServices(),
      listing,
      cache: (components: PeerStoreCacheComponents) => peerStoreCache()(components)
    })
    const ping = async ({ services }: typeof node | typeof stock): Promise<number> => {
      merges = []

      for (let i = 0; i < 10; i++) {
        await services.ping.ping(other.getMultiaddrs())
      }

      return notedPings()
    }

    expect(await ping(stock)).toBeGreaterThanOrEqual(10)
    // The first one, and another one after what identify has noted meanwhile.
    expect(await ping(node)).toBeLessThanOrEqual(3)
    const { protocols } = await node.peerStore.get(other.peerId)
    expect(protocols).toContain(PING)
  })

  it('has it noted again after a minute, and when the peer has been away', async () => {
    await using node = await libp2pNode({
      ...basicServices(),
      listing,
      cache: (components: PeerStoreCacheComponents) => peerStoreCache()(components)
    })
    const { peerStore } = node
    const note = (): Promise<unknown> => peerStore.merge(other.peerId, { protocols: [PING] })
    await note()
    await note()
    merges = []
    await note()
    expect(notedPings()).toBe(0)

    vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 60_000)
    await note()
    expect(notedPings()).toBe(1)
    vi.restoreAllMocks()

    await node.dial(other.getMultiaddrs())
    await node.hangUp(other.peerId)
    merges = []
    await note()
    expect(notedPings()).toBe(1)
  })

  it('reads a connected peer once, and sees each change of it at once', async () => {
    const reads: string[] = []
    const reading = ({ peerStore }: { readonly peerStore: PeerStore }): object => {
      const get = peerStore.get.bind(peerStore)
      peerStore.get = (id, options) => {
        reads.push(id.toString())
        return get(id, options)
      }
      return {}
    }
    await using node = await libp2pNode({
      ...basicServices(),
      reading,
      cache: (components: PeerStoreCacheComponents) => peerStoreCache()(components)
    })
    const { peerStore } = node
    await node.dial(other.getMultiaddrs())
    await peerStore.merge(other.peerId, { tags: { seen: { value: 1 } } })
    reads.length = 0
    const peer = await peerStore.get(other.peerId)
    expect([...peer.tags.keys()]).toContain('seen')
    expect(reads).toEqual([])

    // A caller may change what it gets.
    peer.tags.clear()
    peer.protocols.push('/made/up')
    await peerStore.patch(other.peerId, { tags: { again: { value: 1 } } })
    const { tags, protocols } = await peerStore.get(other.peerId)
    expect([...tags.keys()]).toEqual(['again'])
    expect(protocols).not.toContain('/made/up')

    await peerStore.delete(other.peerId)
    await expect(peerStore.get(other.peerId)).rejects.toThrow(
      expect.objectContaining({ name: 'NotFoundError' })
    )
  })

  it('answers all reads as libp2p does, whatever is written', async () => {
    await using stock = await libp2pNode(basicServices())
    await using node = await libp2pNode({
      ...basicServices(),
      cache: (components: PeerStoreCacheComponents) => peerStoreCache()(components)
    })
    const names = fc.constantFrom('a', 'b', 'c')
    const data = fc.record(
      {
        protocols: fc.uniqueArray(names),
        tags: fc.dictionary(names, fc.record({ value: fc.nat(2) }), { maxKeys: 2 }),
        metadata: fc.dictionary(names, fc.uint8Array({ maxLength: 2 }), { maxKeys: 2 }),
        multiaddrs: fc.uniqueArray(
          fc.constantFrom(1, 2).map((port) => addressOf(port)),
          {
            selector: String
          }
        )
      },
      { requiredKeys: [] }
    )
    const write = fc.record({
      how: fc.constantFrom('save' as const, 'patch' as const, 'merge' as const, 'delete' as const),
      data
    })
    const read = ({ peerStore }: { readonly peerStore: PeerStore }) =>
      peerStore.get(other.peerId).then(contentsOf, String)

    await fc.assert(
      fc.asyncProperty(fc.array(write, { minLength: 1, maxLength: 6 }), async (writes) => {
        for (const { how, data } of writes) {
          for (const { peerStore } of [stock, node]) {
            await (how === 'delete'
              ? peerStore.delete(other.peerId)
              : peerStore[how](other.peerId, data))
          }

          expect(await read(node)).toEqual(await read(stock))
        }
      })
    )
  })

  it('shows an update to a listener that hears of it first', async () => {
    let read: Promise<Peer> | undefined
    const listening = ({ events, peerStore }: PeerStoreCacheComponents): object => {
      events.addEventListener('peer:update', ({ detail: { peer } }) => {
        if (peer.tags.has('after')) {
          read ??= peerStore.get(peer.id)
        }
      })
      return {}
    }
    await using node = await libp2pNode({
      ...basicServices(),
      listening,
      cache: (components: PeerStoreCacheComponents) => peerStoreCache()(components)
    })
    await node.dial(other.getMultiaddrs())
    await node.peerStore.merge(other.peerId, { tags: { before: { value: 1 } } })
    await node.peerStore.patch(other.peerId, { tags: { after: { value: 1 } } })
    const { tags } = (await read) ?? {}

    expect([...(tags?.keys() ?? [])]).toEqual(['after'])
  })

  it('leaves all other notes to libp2p', async () => {
    await using node = await libp2pNode({
      ...basicServices(),
      cache: (components: PeerStoreCacheComponents) => peerStoreCache()(components)
    })
    const { peerStore } = node
    await peerStore.merge(other.peerId, { protocols: ['/a', '/b'] })
    await peerStore.merge(other.peerId, { tags: { seen: { value: 1 } } })
    await peerStore.merge(other.peerId, { protocols: ['/c'], tags: { again: { value: 1 } } })
    const { protocols, tags } = await peerStore.get(other.peerId)

    expect(protocols.toSorted()).toEqual(['/a', '/b', '/c'])
    expect([...tags.keys()].toSorted()).toEqual(['again', 'seen'])
  })
})

function addressOf(port: number): Multiaddr {
  return multiaddr(`/ip4/192.0.2.1/tcp/${port}`)
}

function contentsOf({ addresses, metadata, protocols, tags }: Peer): object {
  return {
    addresses: addresses.map(({ multiaddr: address }) => address.toString()).sort(),
    metadata: [...metadata].map(([key, value]) => [key, ...value]).sort(),
    protocols: protocols.toSorted(),
    tags: [...tags].map(([key, { value }]) => [key, value]).sort()
  }
}
