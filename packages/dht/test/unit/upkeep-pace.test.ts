import { getDHTTime, plainRecord, recordKey } from '@waggle/record'
import { encodedSize } from '@waggle/record/replica'
import { TypedEventEmitter, type TypedEventTarget } from 'main-event'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { DHTEvents } from '../../src/events.ts'
import type { Member } from '../../src/peers/known-peers.ts'
import { RecordStore } from '../../src/store/record-store.ts'
import { fingerprintOf } from '../../src/upkeep/fingerprint.ts'
import { PASS_DELAY_MS } from '../../src/upkeep/intervals.ts'
import {
  HAND_OVER_BURST_BYTES,
  HAND_OVER_BYTES_PER_SECOND,
  NEWCOMER_MS
} from '../../src/upkeep/pace.ts'
import { Upkeep } from '../../src/upkeep/upkeep.ts'
import { contactOf, contacts, peerNumber } from '../support/numbered-peers.ts'
import { silentLog } from '../support/silent-log.ts'

const RECORDS = 320
const VALUE_BYTES = 250_000
const MORE_BYTES: number = 5 * 1024 * 1024

describe('Upkeep', () => {
  let store: RecordStore
  let present: Member[]
  let events: TypedEventTarget<DHTEvents>
  let stopping: AbortController
  let sentBytes: number

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    store = new RecordStore()
    present = []
    events = new TypedEventEmitter()
    stopping = new AbortController()
    sentBytes = 0
    const held = new RecordStore()
    new Upkeep({
      ...{ self: contactOf(peerNumber(100)), store, numReplicas: 5, log: silentLog },
      isReplica: () => true,
      members: () => present,
      isNear: () => true,
      async send(_, key, record) {
        sentBytes += encodedSize(record)
        held.apply(key, record)
        return 'accepted'
      },
      holds: async () => false,
      fingerprints: async (_, keys) => keys.map((key) => fingerprintOf(held.get(key))),
      reconcile: async () => {},
      findNeighbours: async () => {}
    }).follow(events, stopping.signal)
    const record = plainRecord(new Uint8Array(VALUE_BYTES), getDHTTime() + 86_400)

    for (let i = 0; i < RECORDS; i++) {
      store.apply(recordKey(i), record)
    }
  })

  afterEach(() => {
    stopping.abort()
    vi.useRealTimers()
  })

  async function join(count: number): Promise<void> {
    await vi.advanceTimersByTimeAsync(10)
    const sinceMs = performance.now()

    for (const contact of contacts(count)) {
      present.push({ contact, sinceMs })
      events.safeDispatchEvent('peer:found', { detail: contact.id })
    }
  }

  it('sends newcomers so many bytes a second, however many come, and in the end everything (N13k)', async () => {
    await join(3)
    await vi.advanceTimersByTimeAsync(2 * PASS_DELAY_MS)

    for (let second = 1; second <= 20; second++) {
      await vi.advanceTimersByTimeAsync(1000)
      expect(sentBytes).toBeLessThan(
        HAND_OVER_BURST_BYTES + (second + 1) * HAND_OVER_BYTES_PER_SECOND + MORE_BYTES
      )
    }

    await vi.advanceTimersByTimeAsync(NEWCOMER_MS / 2)
    expect(sentBytes).toBeGreaterThanOrEqual(3 * RECORDS * VALUE_BYTES)
  })

  it('sends nothing more when the node stops meanwhile', async () => {
    await join(3)
    await vi.advanceTimersByTimeAsync(5000)
    const before = sentBytes
    expect(before).toBeGreaterThan(0)
    stopping.abort()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(sentBytes).toBe(before)
  })
})
