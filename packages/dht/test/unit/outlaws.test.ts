import type { PeerId } from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import { TypedEventEmitter } from 'main-event'
import { describe, expect, it, vi } from 'vitest'
import { BanList, FIRST_BAN_MS, MAX_BAN_MS } from '../../src/peers/ban-list.ts'
import { peerNumber } from '../support/numbered-peers.ts'
import { silentLog } from '../support/silent-log.ts'

const peer = peerNumber(1)
const error = new Error('it broke the protocol')

function scene() {
  const time = { nowMs: 0 }
  const abort = vi.fn()
  const getConnections = (of?: PeerId) => (of?.equals(peer) ? [{ abort }, { abort }] : [])
  const bans = new BanList({
    connectionManager: { getConnections } as unknown as ConnectionManager,
    log: silentLog,
    nowMs: () => time.nowMs
  })
  return { abort, bans, time }
}

describe('Outlaws', () => {
  it('disconnects who breaks the protocol, and keeps it away for a while (N9c)', () => {
    const { abort, bans, time } = scene()
    bans.ban(peer, error)

    expect(abort.mock.calls).toEqual([[error], [error]])
    expect(bans.has(peer)).toBe(true)
    expect(bans.has(peerNumber(2))).toBe(false)
    time.nowMs = FIRST_BAN_MS - 1
    expect(bans.has(peer)).toBe(true)
    time.nowMs = FIRST_BAN_MS
    expect(bans.has(peer)).toBe(false)
  })

  it('keeps it away for twice as long each time, up to an hour', () => {
    const { bans, time } = scene()
    let forMs = FIRST_BAN_MS

    for (let i = 0; i < 10; i++) {
      bans.ban(peer, error)
      time.nowMs += forMs - 1
      expect(bans.has(peer)).toBe(true)
      time.nowMs += 1
      expect(bans.has(peer)).toBe(false)
      forMs = Math.min(2 * forMs, MAX_BAN_MS)
    }
  })

  it('turns it away when it comes back too early, and nobody else', () => {
    const { bans } = scene()
    const events = new TypedEventEmitter()
    const lifetime = new AbortController()
    bans.follow(events as never, lifetime.signal)
    bans.ban(peer, error)
    const opened = (remotePeer: PeerId): number => {
      const abort = vi.fn()
      events.dispatchEvent(new CustomEvent('connection:open', { detail: { remotePeer, abort } }))
      return abort.mock.calls.length
    }

    expect(opened(peer)).toBe(1)
    expect(opened(peerNumber(2))).toBe(0)
    lifetime.abort()
    expect(opened(peer)).toBe(0)
  })
})
