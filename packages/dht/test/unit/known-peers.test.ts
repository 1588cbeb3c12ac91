import type { Libp2pEvents, PeerId, PeerStore, Topology } from '@libp2p/interface'
import type { Registrar } from '@libp2p/interface-internal'
import { TypedEventEmitter } from 'main-event'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { followPeers } from '../../src/kad/follow-peers.ts'
import type { KadInternals } from '../../src/kad/internals.ts'
import { KnownPeers } from '../../src/peers/known-peers.ts'
import { PeerBook } from '../../src/peers/peer-book.ts'
import { peerNumber } from '../support/numbered-peers.ts'

const [a, b] = [peerNumber(1), peerNumber(2)]

describe('KnownPeers', () => {
  let table: TypedEventEmitter<{
    'peer:add': CustomEvent<PeerId>
    'peer:remove': CustomEvent<PeerId>
  }>
  let connections: Required<Pick<Topology, 'onConnect' | 'onDisconnect'>>
  let peers: KnownPeers
  let told: [what: string, peer: PeerId][]

  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    table = Object.assign(new TypedEventEmitter(), { closestPeers: () => [], size: 0 })
    const registrar = {
      async register(_: string, topology: Topology) {
        connections = topology as typeof connections
        return 'topology'
      },
      unregister() {}
    }
    const book = new PeerBook()
    told = []
    peers = new KnownPeers({
      records: book.records,
      onJoin: (id) => told.push(['join', id]),
      onLeave: (id) => told.push(['leave', id])
    })
    const init = {
      known: peers,
      peers: book,
      kad: { routingTable: table, protocol: '/kad' } as unknown as KadInternals,
      peerStore: { get: () => Promise.reject(new Error('unknown')) } as unknown as PeerStore,
      registrar: registrar as unknown as Registrar,
      events: new TypedEventEmitter<Libp2pEvents>()
    }
    await followPeers(init, new AbortController().signal)
    return () => vi.useRealTimers()
  })

  function tabled(id: PeerId, event: 'peer:add' | 'peer:remove' = 'peer:add'): void {
    table.safeDispatchEvent(event, { detail: id })
  }

  function connect(id: PeerId): void {
    connections.onConnect(id, undefined as never)
  }

  function members(): PeerId[] {
    return peers.members().map(({ contact }) => contact.id)
  }

  it('takes those for members that are in the table or connected, and have not left since', () => {
    tabled(a)
    connect(b)
    expect(members()).toEqual([a, b])

    connect(a)
    connections.onDisconnect(a)
    connections.onDisconnect(b)
    expect(members()).toEqual([])
    expect(peers.has(a)).toBe(true)

    connect(a)
    expect(members()).toEqual([a])
  })

  it('says since when they are members, anew when they come back', () => {
    const sinceMs = (): number | undefined => peers.members()[0]?.sinceMs
    const firstMs = performance.now()
    tabled(a)
    vi.advanceTimersByTime(10)
    connect(a)
    expect(sinceMs()).toBe(firstMs)

    connections.onDisconnect(a)
    vi.advanceTimersByTime(10)
    connect(a)
    expect(sinceMs()).toBe(firstMs + 20)
  })

  it('forgets a peer that is not connected until it is heard of again (N8c)', () => {
    tabled(a)
    connect(b)
    peers.forget(a)
    peers.forget(b)
    expect([peers.has(a), peers.has(b)]).toEqual([false, true])

    tabled(a)
    expect(peers.has(a)).toBe(true)
  })

  it('tells of each server that connects, and of its end, once', () => {
    tabled(a)
    connect(a)
    connect(a)
    connections.onDisconnect(a)
    connections.onDisconnect(a)

    expect(told).toEqual([
      ['join', a],
      ['leave', a]
    ])
  })

  it('takes a peer for a member again that comes back to the table after it had left both', () => {
    connect(a)
    connections.onDisconnect(a)
    expect(peers.has(a)).toBe(false)

    tabled(a)
    expect(members()).toEqual([a])
  })
})
