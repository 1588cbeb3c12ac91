import type { PeerId } from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import { recordKey } from '@waggle/record'
import { TypedEventEmitter } from 'main-event'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { followConnections } from '../../src/peers/follow-connections.ts'
import { FIRST_BAN_MS, MAX_BAN_MS, PeerBook } from '../../src/peers/peer-book.ts'
import { ACTIVE } from '../support/cancellation.ts'
import { type ManualClock, manualClock } from '../support/manual-clock.ts'
import { peerNumber } from '../support/numbered-peers.ts'
import { Simulation } from '../support/simulated-replicas.ts'

const peer = peerNumber(1)
const error = new Error('it violated the protocol')

describe('PeerBook.ban', () => {
  let clock: ManualClock
  let book: PeerBook

  beforeEach(() => {
    clock = manualClock(0)
    book = new PeerBook({ nowMs: clock })
  })

  it('bans a peer that violates the protocol for a minute, and no other (N9c)', () => {
    book.ban(peer, error)

    expect([peer, peerNumber(2)].map((one) => book.isBanned(one))).toEqual([true, false])
    clock.time = FIRST_BAN_MS - 1
    expect(book.isBanned(peer)).toBe(true)
    clock.time = FIRST_BAN_MS
    expect(book.isBanned(peer)).toBe(false)
  })

  it('bans it for twice as long each time, up to an hour, and says so', () => {
    const told: unknown[][] = []
    book = new PeerBook({ nowMs: clock, onBan: (...about) => told.push(about) })
    const lengths = [1, 2, 4, 8, 16, 32, 60, 60].map((minutes) => minutes * FIRST_BAN_MS)

    for (const forMs of lengths) {
      book.ban(peer, error)
      clock.time += forMs - 1
      expect(book.isBanned(peer)).toBe(true)
      clock.time += 1
      expect(book.isBanned(peer)).toBe(false)
    }

    expect(lengths.at(-1)).toBe(MAX_BAN_MS)
    expect(told).toEqual(lengths.map((forMs) => [peer, error, forMs]))
  })
})

describe('followConnections', () => {
  let connected: PeerId[]
  let events: TypedEventEmitter<Record<string, CustomEvent>>
  let lifetime: AbortController
  let book: PeerBook

  beforeEach(() => {
    connected = [peerNumber(3)]
    events = new TypedEventEmitter()
    lifetime = new AbortController()
    book = new PeerBook({ nowMs: () => 0 })
    const getConnections = (of?: PeerId): { remotePeer: PeerId }[] =>
      connected.filter((one) => of?.equals(one) ?? true).map((remotePeer) => ({ remotePeer }))
    const connectionManager = { getConnections } as unknown as ConnectionManager
    followConnections({ connectionManager, events: events as never, peers: book }, lifetime.signal)
  })

  it('turns a banned peer away when it comes back too early, and nobody else (N9c)', () => {
    book.ban(peer, error)
    const opened = (remotePeer: PeerId): number => {
      const abort = vi.fn()
      events.safeDispatchEvent('connection:open', { detail: { remotePeer, abort } })
      return abort.mock.calls.length
    }

    expect(opened(peer)).toBe(1)
    expect(opened(peerNumber(2))).toBe(0)
    lifetime.abort()
    expect(opened(peer)).toBe(0)
  })

  it('takes connected peers for verified, those of before among them', () => {
    const areVerified = (): boolean[] =>
      [peer, peerNumber(2), peerNumber(3)].map((one) => book.isVerified(one))
    expect(areVerified()).toEqual([false, false, true])

    connected = [peer, peerNumber(3)]
    events.safeDispatchEvent('peer:connect', { detail: peer })
    expect(areVerified()).toEqual([true, false, true])

    connected = [peer]
    events.safeDispatchEvent('peer:disconnect', { detail: peerNumber(3) })
    expect(areVerified()).toEqual([true, false, false])
  })

  it('does not take a peer for connected that has left before libp2p says that it came', () => {
    events.safeDispatchEvent('peer:disconnect', { detail: peer })
    events.safeDispatchEvent('peer:connect', { detail: peer })

    expect(book.isVerified(peer)).toBe(false)
  })
})

describe('a node that knows banned peers only', () => {
  it('rejects reads, as they might hold something, and asks none of them (N8e, N9c)', async () => {
    const key = recordKey('key')
    const net = new Simulation(key, { size: 4 })

    for (const { id } of net.peers) {
      net.book.ban(id, error)
    }

    const reading = net.replicas.read(key, { cancellation: ACTIVE, latest: true })
    await expect(reading).rejects.toMatchObject({ name: 'UnreachableError', failedPeers: 0 })
    expect(net.requests).toEqual([])
  })
})
