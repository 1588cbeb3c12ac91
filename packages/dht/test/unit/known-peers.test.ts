import type { Libp2pEvents, PeerId, PeerStore, Topology } from '@libp2p/interface'
import type { Registrar } from '@libp2p/interface-internal'
import { TypedEventEmitter } from 'main-event'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { KadInternals } from '../../src/kad/internals.ts'
import { KnownPeers } from '../../src/kad/known-peers.ts'
import { peerNumber } from '../support/numbered-peers.ts'

const [a, b] = [peerNumber(1), peerNumber(2)]

describe('KnownPeers', () => {
  let table: TypedEventEmitter<{
    'peer:add': CustomEvent<PeerId>
    'peer:remove': CustomEvent<PeerId>
  }>
  let connections: Required<Pick<Topology, 'onConnect' | 'onDisconnect'>>
  let peers: KnownPeers

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
    peers = new KnownPeers({
      kad: { routingTable: table, protocol: '/kad' } as unknown as KadInternals,
      peerStore: { get: () => Promise.reject(new Error('unknown')) } as unknown as PeerStore,
      registrar: registrar as unknown as Registrar,
      events: new TypedEventEmitter<Libp2pEvents>(),
      onConnect: () => {},
      onJoin: () => {},
      onLeave: () => {}
    })
    await peers.follow(new AbortController().signal)
    return () => vi.useRealTimers()
  })

  function tabled(id: PeerId, event: 'peer:add' | 'peer:remove' = 'peer:add'): void {
    table.safeDispatchEvent(event, { detail: id })
  }

  function connect(id: PeerId): void {
    connections.onConnect(id, undefined as never)
  }

  function present(): PeerId[] {
    return peers.present().map(({ contact }) => contact.id)
  }

  it('takes those for present that are in the table or connected, and have not left since', () => {
    tabled(a)
    connect(b)
    expect(present()).toEqual([a, b])

    connect(a)
    connections.onDisconnect(a)
    connections.onDisconnect(b)
    expect(present()).toEqual([])
    expect(peers.has(a)).toBe(true)

    connect(a)
    expect(present()).toEqual([a])
  })

  it('says since when they are present, anew when they come back', () => {
    const sinceMs = (): number | undefined => peers.present()[0]?.sinceMs
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
})
