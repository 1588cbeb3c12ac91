import type { PeerId } from '@libp2p/interface'
import { TypedEventEmitter } from 'main-event'
import { describe, expect, it, vi } from 'vitest'
import {
  IDLE_PEER_MS,
  MAX_IDLE_PEERS,
  type PeerStoreLimitsComponents,
  peerStoreLimits
} from '../../src/node/peer-store-limits.ts'
import { useFakeTimers } from '../support/fake-timers.ts'
import { peerNumber } from '../support/numbered-peers.ts'
import { silentLog } from '../support/silent-log.ts'

/** Makes a small peer store; net/patient-identify uses real ones. */
function scene() {
  const known = new Map<string, { tags: Map<string, object> }>()
  const connected = new Set<string>()
  const events: PeerStoreLimitsComponents['events'] = new TypedEventEmitter()
  const service = peerStoreLimits()({
    events,
    peerId: peerNumber(0),
    logger: { forComponent: () => silentLog },
    connectionManager: {
      getConnections: (peer: PeerId) => (connected.has(peer.toString()) ? [{}] : [])
    } as unknown as PeerStoreLimitsComponents['connectionManager'],
    peerStore: {
      get: async (peer: PeerId) => known.get(peer.toString()) ?? { tags: new Map() },
      delete: async (peer: PeerId) => void known.delete(peer.toString())
    } as unknown as PeerStoreLimitsComponents['peerStore']
  })
  service.start?.()
  return {
    known,
    connected,
    hear(peer: PeerId, tags: readonly string[] = []) {
      known.set(peer.toString(), { tags: new Map(tags.map((tag) => [tag, {}])) })
      events.safeDispatchEvent('peer:update', { detail: { peer: { id: peer } } as never })
    },
    leave(peer: PeerId) {
      connected.delete(peer.toString())
      events.safeDispatchEvent('peer:disconnect', { detail: peer })
    }
  }
}

describe('peerStoreLimits', () => {
  useFakeTimers()

  it('forgets those that have left, and those that were only named, after a while (N13b)', async () => {
    const { known, connected, hear, leave } = scene()
    connected.add(peerNumber(1).toString())
    hear(peerNumber(1))
    hear(peerNumber(2))
    await vi.advanceTimersByTimeAsync(IDLE_PEER_MS + 20_000)
    expect([...known.keys()]).toEqual([peerNumber(1).toString()])

    leave(peerNumber(1))
    await vi.advanceTimersByTimeAsync(IDLE_PEER_MS + 20_000)
    expect(known.size).toBe(0)
  })

  it('keeps those in the routing table, which are tagged', async () => {
    const { known, hear } = scene()
    hear(peerNumber(1), ['kad-peer'])
    await vi.advanceTimersByTimeAsync(IDLE_PEER_MS + 20_000)
    expect(known.size).toBe(1)
  })

  it('keeps no more of them than so many, however fast they come (N13b)', async () => {
    const { known, hear } = scene()

    for (let i = 1; i <= MAX_IDLE_PEERS + 100; i++) {
      hear(peerNumber(i))
    }

    await vi.advanceTimersByTimeAsync(1)
    expect(known.size).toBe(MAX_IDLE_PEERS)
  })

  it('forgets no peer that has come back meanwhile', async () => {
    const { known, connected, hear } = scene()
    hear(peerNumber(1))
    connected.add(peerNumber(1).toString())
    await vi.advanceTimersByTimeAsync(IDLE_PEER_MS + 20_000)
    expect(known.size).toBe(1)
  })
})
