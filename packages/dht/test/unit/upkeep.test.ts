import type { PeerInfo } from '@libp2p/interface'
import { EMPTY_RECORD, getDHTTime, plainRecord, recordKey } from '@waggle/record'
import { TypedEventEmitter, type TypedEventTarget } from 'main-event'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { DHTEvents } from '../../src/events.ts'
import type { ReplyOutcome } from '../../src/lookup/record-channel.ts'
import type { Member } from '../../src/peers/known-peers.ts'
import { RecordStore } from '../../src/store/record-store.ts'
import { fingerprintOf } from '../../src/upkeep/fingerprint.ts'
import {
  COMPARE_MS,
  PASS_DELAY_MS,
  PASS_INTERVAL_MS,
  REPLICATE_INTERVAL_MS,
  RETRY_MS
} from '../../src/upkeep/intervals.ts'
import { Upkeep } from '../../src/upkeep/upkeep.ts'
import {
  contactOf,
  contacts,
  nearestFirst,
  peerNumber,
  pointOf
} from '../support/numbered-peers.ts'
import { silentLog } from '../support/silent-log.ts'

const KEY = recordKey('key')

describe('Upkeep', () => {
  let present: Member[]
  let looks: number
  let sent: PeerInfo[]
  let asked: PeerInfo[]
  let isLost: boolean
  let looksAround: number
  let isFailing: boolean
  let isReplica: boolean
  let outcomes: Map<string, ReplyOutcome>
  let isNear: boolean
  let store: RecordStore
  let events: TypedEventTarget<DHTEvents>
  let stopping: AbortController

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    present = []
    looks = 0
    sent = []
    asked = []
    isLost = false
    looksAround = 0
    isFailing = false
    isReplica = true
    outcomes = new Map()
    isNear = true
    store = new RecordStore()
    events = new TypedEventEmitter()
    stopping = new AbortController()
    const upkeep = new Upkeep({
      ...{ self: contactOf(peerNumber(100)), store, numReplicas: 5, log: silentLog },
      isReplica: () => isReplica,
      isNear: () => isNear,
      members() {
        looks++
        return present
      },
      async send(to) {
        if (isFailing) {
          throw new Error('the connection was lost')
        }

        sent.push(to)
        return outcomes.get(to.id.toString()) ?? 'accepted'
      },
      holds: async () => false,
      async fingerprints(peer, keys) {
        if (isFailing) {
          throw new Error('the connection was lost')
        }

        asked.push(peer)
        return keys.map(() => fingerprintOf(isLost ? EMPTY_RECORD : store.get(KEY)))
      },
      reconcile: async () => {},
      findNeighbours: async () => {
        looksAround++
      }
    })
    upkeep.follow(events, stopping.signal)
    store.apply(KEY, plainRecord('value', getDHTTime() + 86_400))
  })

  afterEach(() => {
    stopping.abort()
    vi.useRealTimers()
  })

  /** Adds peers, some time after the record. */
  async function join(...joining: readonly PeerInfo[]): Promise<void> {
    await vi.advanceTimersByTimeAsync(10)

    for (const contact of joining) {
      present.push({ contact, sinceMs: performance.now() })
      events.safeDispatchEvent('peer:found', { detail: contact.id })
    }
  }

  it('looks at records once when several peers come at once, a moment after the first', async () => {
    await join(...contacts(4))
    await vi.advanceTimersByTimeAsync(PASS_DELAY_MS - 1)
    expect(looks).toBe(0)

    await vi.advanceTimersByTimeAsync(PASS_DELAY_MS + 2)
    expect(looks).toBe(1)
    expect(sent).toHaveLength(4)
  })

  it('looks at no records for a peer that is too far away to hold any of them (N10g)', async () => {
    isNear = false
    await join(...contacts(4))
    await vi.advanceTimersByTimeAsync(3 * PASS_DELAY_MS)
    expect(looks).toBe(0)
  })

  it('tries a peer again that it could not reach, until that succeeds', async () => {
    isFailing = true
    await join(...contacts(1))
    await vi.advanceTimersByTimeAsync(2 * PASS_DELAY_MS + RETRY_MS)
    isFailing = false
    expect(sent).toEqual([])

    await vi.advanceTimersByTimeAsync(RETRY_MS + 1)
    expect(sent).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(3 * PASS_INTERVAL_MS)
    expect(sent).toHaveLength(1)
  })

  it('brings the record to the others once an hour, or to the nearest, changed or not', async () => {
    await join(...contacts(4))
    await vi.advanceTimersByTimeAsync(2 * PASS_DELAY_MS)
    sent = []
    await vi.advanceTimersByTimeAsync(REPLICATE_INTERVAL_MS - 10_000)
    expect(sent).toHaveLength(0)

    await vi.advanceTimersByTimeAsync(10_000 + PASS_INTERVAL_MS)
    expect(sent.length).toBeLessThanOrEqual(4)
    expect([0, 1, 4]).toContain(sent.length)
  })

  it('looks around and asks newcomers for the records that they should hold, once, some time later', async () => {
    await join(...contacts(4))
    await vi.advanceTimersByTimeAsync(COMPARE_MS - 1)
    expect(asked).toEqual([])

    await vi.advanceTimersByTimeAsync(COMPARE_MS + 1)
    expect(asked.length).toBe(4)
    expect(looksAround).toBe(1)
    await vi.advanceTimersByTimeAsync(10 * PASS_INTERVAL_MS)
    expect(asked.length).toBe(4)
    expect(sent.length).toBe(4)
  })

  it('sends a record again to a peer that turns out to lack it', async () => {
    isLost = true
    await join(...contacts(2))
    await vi.advanceTimersByTimeAsync(2 * COMPARE_MS)

    expect(asked).toHaveLength(2)
    expect(sent).toHaveLength(4)
  })

  it('asks a peer again that did not answer', async () => {
    await join(...contacts(2))
    await vi.advanceTimersByTimeAsync(COMPARE_MS - 1)
    isFailing = true
    await vi.advanceTimersByTimeAsync(COMPARE_MS + 1)
    expect(asked).toEqual([])

    isFailing = false
    await vi.advanceTimersByTimeAsync(2 * COMPARE_MS)
    expect(asked).toHaveLength(2)
  })

  describe('beside a peer that is nearer to the record', () => {
    const self = contactOf(peerNumber(100))
    const [nearer, other] = nearestFirst(pointOf(KEY), [self, ...contacts(20)]) as [
      PeerInfo,
      PeerInfo
    ]

    beforeEach(() => {
      vi.spyOn(Math, 'random').mockReturnValue(0)
    })

    afterEach(() => {
      vi.restoreAllMocks()
    })

    /**
     * Adds a peer some time after the nearer one has received the record. Resolves with whether this node sends it.
     */
    async function isSentAfter(ms: number): Promise<boolean> {
      await join(nearer)
      await vi.advanceTimersByTimeAsync(PASS_DELAY_MS + 1)
      expect(sent).toEqual([nearer])
      await vi.advanceTimersByTimeAsync(ms)
      await join(other)
      await vi.advanceTimersByTimeAsync(PASS_DELAY_MS + 1)
      return sent.includes(other)
    }

    it('leaves a newcomer to that one', async () => {
      expect(await isSentAfter(1500)).toBe(false)
    })

    it('sends to a newcomer itself that the other one may have met before it had the record (N7)', async () => {
      expect(await isSentAfter(500)).toBe(true)
    })
  })

  it('hands over all that a former replica holds, each record to the nearest server that takes it (N8k)', async () => {
    isReplica = false
    const [nearest, second] = nearestFirst(pointOf(KEY), contacts(4))
    outcomes.set(String(nearest?.id), 'full')
    await join(...contacts(4))
    await vi.advanceTimersByTimeAsync(2 * PASS_DELAY_MS)

    expect(sent.map(({ id }) => id)).toEqual([nearest?.id, second?.id])
    expect(store.records).toBe(0)
  })

  it('keeps what no server takes, and tries again (N8k)', async () => {
    isReplica = false
    isFailing = true
    await join(...contacts(4))
    await vi.advanceTimersByTimeAsync(2 * PASS_DELAY_MS)
    expect(store.records).toBe(1)

    isFailing = false
    await vi.advanceTimersByTimeAsync(RETRY_MS)
    expect(sent).toHaveLength(1)
    expect(store.records).toBe(0)
  })

  it('does nothing on a client that holds nothing, and seldom wakes up for it', async () => {
    isReplica = false
    store.clear()
    await join(...contacts(4))
    await vi.advanceTimersByTimeAsync(3 * REPLICATE_INTERVAL_MS)

    expect(sent).toEqual([])
    expect(looks).toBeLessThan((4 * REPLICATE_INTERVAL_MS) / PASS_INTERVAL_MS)
  })

  it('ends when the node stops', async () => {
    await join(...contacts(4))
    stopping.abort()
    await vi.advanceTimersByTimeAsync(REPLICATE_INTERVAL_MS)

    expect(looks).toBe(0)
  })
})
