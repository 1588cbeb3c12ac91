import type { Connection, Libp2pEvents, PeerId, Topology } from '@libp2p/interface'
import type { Registrar } from '@libp2p/interface-internal'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { recordKey } from '@waggle/record'
import { TypedEventEmitter } from 'main-event'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { DEFAULT_NUM_REPLICAS as NUM_REPLICAS, SEARCH_WIDTH } from '../../src/constants.ts'
import { followPeers } from '../../src/kad/follow-peers.ts'
import { pointOfKey, pointOfPeer } from '../../src/peers/key-space.ts'
import { KnownPeers, MAX_LOST, SETTLED_MS } from '../../src/peers/known-peers.ts'
import { PeerBook } from '../../src/peers/peer-book.ts'
import { contacts, nearestFirst, peerNumber } from '../support/numbered-peers.ts'

const [self, a, b] = [peerNumber(0), peerNumber(1), peerNumber(2)]
const ADDRESS = multiaddr('/ip4/10.0.0.1/tcp/1')
const PROTOCOL = '/kad'

describe('KnownPeers', () => {
  let connections: Required<Pick<Topology, 'onConnect' | 'onDisconnect'>>
  let events: TypedEventEmitter<Libp2pEvents>
  let book: PeerBook
  let peers: KnownPeers
  let told: [what: string, peer: PeerId][]

  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const registrar = {
      async register(_: string, topology: Topology) {
        connections = topology as typeof connections
        return 'topology'
      },
      unregister() {}
    }
    told = []
    const tell = (what: string) => (id: PeerId) => told.push([what, id])
    events = new TypedEventEmitter<Libp2pEvents>()
    book = new PeerBook({
      onResponse: (peer) => peers.recordResponse(peer),
      onFailure: (peer) => peers.recordFailure(peer)
    })
    peers = new KnownPeers({
      ...{ self, records: book.records, addressesOf: async () => [ADDRESS] },
      ...{ onFound: tell('found'), onLost: tell('lost'), onConnect: tell('connect') },
      ...{ onDisconnect: tell('disconnect'), onSuspect: tell('suspect') }
    })
    await followPeers(
      {
        ...{ protocol: PROTOCOL, known: peers, peers: book, events },
        registrar: registrar as unknown as Registrar
      },
      new AbortController().signal
    )
    return () => vi.useRealTimers()
  })

  function connect(id: PeerId, address: Multiaddr = ADDRESS): void {
    connections.onConnect(id, { remoteAddr: address } as Connection)
  }

  function members(): PeerId[] {
    return peers.members().map(({ contact }) => contact.id)
  }

  it('keeps a server that has been disconnected, since when it was found (N10c)', () => {
    connect(a)
    const [member] = peers.members()
    vi.advanceTimersByTime(10)
    connections.onDisconnect(a)
    expect(members()).toEqual([a])
    connect(a)

    expect(peers.members()).toEqual([member])
    expect(told).toEqual([
      ['found', a],
      ['connect', a],
      ['disconnect', a],
      ['connect', a]
    ])
  })

  it('learns the addresses of a server that it found, and of their changes (N10b)', async () => {
    connect(a)
    await vi.waitFor(() => expect(peers.contactOf(a)?.multiaddrs).toEqual([ADDRESS]))
    const moved = multiaddr('/ip4/10.0.0.2/tcp/2')
    update(a, { addresses: [{ multiaddr: moved, isCertified: false }] })

    expect(peers.contactOf(a)?.multiaddrs).toEqual([moved])
  })

  it('loses a peer that serves no more, or leaves, connected or not (N10c)', () => {
    connect(a)
    connect(b)
    update(a, { protocols: [] })
    peers.leave(b)
    expect(members()).toEqual([])

    book.recordResponse(b)
    expect(members()).toEqual([])
  })

  it('loses a disconnected peer that fails twice, until it connects again (N8c, N10b)', () => {
    connect(a)
    connections.onDisconnect(a)
    book.recordFailure({ id: a, multiaddrs: [] })
    expect(members()).toEqual([a])
    book.recordFailure({ id: a, multiaddrs: [] })
    expect(members()).toEqual([])

    connect(a)
    expect(members()).toEqual([a])
  })

  it('has the connection checked of a connected peer that fails, and keeps the peer (N10c)', () => {
    connect(a)

    for (let i = 0; i < 5; i++) {
      book.recordFailure({ id: a, multiaddrs: [] })
    }

    expect(members()).toEqual([a])
    expect(told.filter(([what]) => what === 'suspect')).toHaveLength(5)
  })

  it('offers those that it lost only while it has no other left (N8e, N10b)', () => {
    connect(a)
    peers.leave(a)
    expect(peers.nearest(pointOfPeer(self), 20).map(({ id }) => id)).toEqual([a])
    expect(peers.size).toBe(0)
    connect(b)
    expect(peers.nearest(pointOfPeer(self), 20).map(({ id }) => id)).toEqual([b])
  })

  it('remembers a few losses only, the latest, and nothing more of the peers (N10b)', () => {
    const servers = contacts(MAX_LOST + 6).slice(1)

    for (const { id } of servers) {
      connect(id)
      vi.advanceTimersByTime(1)
      connections.onDisconnect(id)
      peers.remove(id)
    }

    const latest = servers.slice(-MAX_LOST).map(({ id }) => id)
    expect(peers.nearest(pointOfPeer(self), 100).map(({ id }) => id)).toEqual(latest)
    expect(peers.vanished().map(({ id }) => id)).toEqual(latest)
    expect(book.records.size).toBe(MAX_LOST)
    peers.recordDeparture(latest[0] as PeerId)
    expect(peers.vanished()).toHaveLength(MAX_LOST - 1)
  })

  it('takes in a connected peer again that was removed and responds (N10b)', () => {
    connect(a)
    peers.remove(a)
    expect(members()).toEqual([])
    book.recordResponse(a)

    expect(members()).toEqual([a])
  })

  it('is near to all while it knows few, and then to none but the nearest (N10g)', () => {
    expect(peers.isNear(peerNumber(999))).toBe(true)
    const others = Array.from({ length: 200 }, (_, i) => peerNumber(i + 1))
    others.map((peer) => connect(peer))
    const near = others.filter((peer) => peers.isNear(peer))

    expect(near).toHaveLength(32)
    expect(peers.connectedNeighbours(20).every((peer) => peers.isNear(peer))).toBe(true)
  })

  it('is settled near itself when no server has come near and few have left for a while, and it has not slept (N5)', () => {
    const others = nearestFirst(pointOfPeer(self), contacts(41).slice(1)).map(({ id }) => id)
    const [nearest, ...neighbours] = others as [PeerId, ...PeerId[]]
    const far = neighbours.pop() as PeerId
    const isSettledAfter = (ms: number): boolean => {
      vi.advanceTimersByTime(ms)
      return peers.isSettled(pointOfPeer(self), NUM_REPLICAS)
    }
    expect(isSettledAfter(SETTLED_MS - 1)).toBe(false)
    expect(isSettledAfter(1)).toBe(true)

    neighbours.map((peer) => connect(peer))
    expect(isSettledAfter(SETTLED_MS - 1)).toBe(false)
    expect(isSettledAfter(1)).toBe(true)

    // One that returns is no newcomer, and one that is far has nothing that this node should hold.
    connections.onDisconnect(neighbours[0] as PeerId)
    connect(neighbours[0] as PeerId)
    connect(far)
    expect(peers.isSettled(pointOfPeer(self), NUM_REPLICAS)).toBe(true)

    connect(nearest)
    expect(peers.isSettled(pointOfPeer(self), NUM_REPLICAS)).toBe(false)
    expect(isSettledAfter(SETTLED_MS)).toBe(true)
    peers.leave(far)
    expect(peers.isSettled(pointOfPeer(self), NUM_REPLICAS)).toBe(true)
    neighbours.slice(0, NUM_REPLICAS - 1).map((peer) => peers.leave(peer))
    expect(peers.isSettled(pointOfPeer(self), NUM_REPLICAS)).toBe(true)
    peers.leave(nearest)
    expect(peers.isSettled(pointOfPeer(self), NUM_REPLICAS)).toBe(false)

    expect(isSettledAfter(SETTLED_MS)).toBe(true)
    peers.unsettle()
    expect(peers.isSettled(pointOfPeer(self), NUM_REPLICAS)).toBe(false)
  })

  it('is settled for a key near which nothing has changed (N5)', () => {
    const target = pointOfKey(recordKey('party'))
    const others = nearestFirst(target, contacts(60).slice(1)).map(({ id }) => id)
    const newcomers = [...others.splice(SEARCH_WIDTH + 5, 1), ...others.splice(0, 1)] as [
      PeerId,
      PeerId
    ]
    const [behind, near] = newcomers
    others.map((peer) => connect(peer))
    vi.advanceTimersByTime(SETTLED_MS)
    expect(peers.isSettled(target, NUM_REPLICAS)).toBe(true)

    connect(behind)
    expect(peers.isSettled(target, NUM_REPLICAS)).toBe(true)
    expect(peers.isSettled(pointOfPeer(behind), NUM_REPLICAS)).toBe(false)
    connect(near)
    expect(peers.isSettled(target, NUM_REPLICAS)).toBe(false)
    vi.advanceTimersByTime(SETTLED_MS)
    expect(peers.isSettled(target, NUM_REPLICAS)).toBe(true)

    peers.leave(behind)
    expect(peers.isSettled(target, NUM_REPLICAS)).toBe(true)
    others.splice(0, NUM_REPLICAS - 1).map((peer) => peers.leave(peer))
    expect(peers.isSettled(target, NUM_REPLICAS)).toBe(true)
    peers.leave(near)
    expect(peers.isSettled(target, NUM_REPLICAS)).toBe(false)
  })

  it('is not settled when it has lost more servers than it remembers (N5)', () => {
    const others = contacts(3 * MAX_LOST)
      .slice(1)
      .map(({ id }) => id)
    others.map((peer) => connect(peer))
    vi.advanceTimersByTime(SETTLED_MS)
    others.slice(0, MAX_LOST + 1).map((peer) => peers.leave(peer))

    expect(others.every((peer) => !peers.isSettled(pointOfPeer(peer), NUM_REPLICAS))).toBe(true)
  })

  function update(
    id: PeerId,
    change: { addresses?: unknown; protocols?: readonly string[] }
  ): void {
    const before = { id, addresses: [{ multiaddr: ADDRESS }], protocols: [PROTOCOL] }
    const detail = { peer: { ...before, ...change }, previous: before }
    events.safeDispatchEvent('peer:update', { detail: detail as never })
  }
})
