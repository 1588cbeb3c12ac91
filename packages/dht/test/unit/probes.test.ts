import type { Libp2pEvents, PeerId, PeerInfo } from '@libp2p/interface'
import { TypedEventEmitter } from 'main-event'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { CHECK_INTERVAL_MS, Probes } from '../../src/connections/probes.ts'
import { BusyError } from '../../src/errors.ts'
import { contactOf, peerNumber } from '../support/numbered-peers.ts'
import { silentLog } from '../support/silent-log.ts'

const [near, far, other] = [1, 2, 3].map(peerNumber) as [PeerId, PeerId, PeerId]

describe('Probes', () => {
  let events: TypedEventEmitter<Libp2pEvents>
  let dialled: string[]
  let dead: string[]
  let goodbyes: Set<PeerId>
  let isLonely: boolean
  let failure: Error | undefined
  let stale: PeerInfo | undefined
  let stopping: AbortController

  beforeEach(() => {
    vi.useFakeTimers({
      toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance']
    })
    events = new TypedEventEmitter()
    dialled = []
    dead = []
    goodbyes = new Set()
    isLonely = false
    failure = undefined
    stale = undefined
    stopping = new AbortController()
    new Probes({
      ...{ events, log: silentLog, isLonely: () => isLonely, stalest: () => stale },
      isNeighbour: (peer) => peer !== far,
      hasSaidGoodbye: (peer) => goodbyes.has(peer),
      contactOf: (peer) => (dead.includes(String(peer)) ? undefined : contactOf(peer)),
      async connect({ id }) {
        dialled.push(String(id))

        if (failure !== undefined) {
          throw failure
        }
      },
      onDead: ({ id }) => dead.push(String(id))
    }).follow(stopping.signal)
  })

  afterEach(() => {
    stopping.abort()
    vi.useRealTimers()
  })

  async function disconnect(...peers: readonly PeerId[]): Promise<void> {
    for (const detail of peers) {
      events.safeDispatchEvent('peer:disconnect', { detail })
    }

    await vi.advanceTimersByTimeAsync(1000)
  }

  it('dials a neighbour once that was disconnected without a word, and no other peer (N10c)', async () => {
    await disconnect(near, far)
    expect(dialled).toEqual([String(near)])
    await vi.advanceTimersByTimeAsync(10 * CHECK_INTERVAL_MS)

    expect(dialled).toEqual([String(near)])
    expect(dead).toEqual([])
  })

  it('leaves alone a peer that said goodbye (N10c)', async () => {
    goodbyes.add(near)
    await disconnect(near)
    expect(dialled).toEqual([])
  })

  it('loses a peer where nobody answers, and not one that has no room (N10c, N10d)', async () => {
    failure = new BusyError('no room')
    await disconnect(other)
    expect(dead).toEqual([])
    failure = new Error('connect ECONNREFUSED')
    await disconnect(near)

    expect(dead).toEqual([String(near)])
  })

  it('probes a peer that is disconnected again only after a minute, unless it is the last (N10g)', async () => {
    await disconnect(near)
    await disconnect(near)
    expect(dialled).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(dialled).toHaveLength(2)

    isLonely = true
    await vi.advanceTimersByTimeAsync(1000)
    await disconnect(near)
    expect(dialled).toHaveLength(3)
  })

  it('checks a peer that has long been silent now and then (N10b, N10g)', async () => {
    await vi.advanceTimersByTimeAsync(CHECK_INTERVAL_MS)
    expect(dialled).toEqual([])
    stale = contactOf(far)
    await vi.advanceTimersByTimeAsync(2 * CHECK_INTERVAL_MS)

    expect(dialled[0]).toBe(String(far))
    expect(dialled.length).toBeLessThanOrEqual(2)
  })

  it('probes nobody any more once the node has stopped', async () => {
    stopping.abort()
    stale = contactOf(far)
    await disconnect(near)
    await vi.advanceTimersByTimeAsync(10 * CHECK_INTERVAL_MS)
    expect(dialled).toEqual([])
  })
})
