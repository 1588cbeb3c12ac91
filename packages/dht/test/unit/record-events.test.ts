import { plainRecord, recordKey } from '@waggle/record'
import { DEFAULT_LIMITS } from '@waggle/record/replica'
import { TypedEventEmitter } from 'main-event'
import { describe, expect, it } from 'vitest'
import type { DHTEvents } from '../../src/events.ts'
import { recordEvents } from '../../src/service/record-events.ts'
import { RecordStore } from '../../src/store/record-store.ts'
import { manualClock } from '../support/manual-clock.ts'

describe('recordEvents', () => {
  it('tells of keys as long as the store allows, and throws nothing into it', () => {
    const clock = manualClock(100)
    const limits = { ...DEFAULT_LIMITS, maxKeyBytes: 4096 }
    const store = new RecordStore({ clock, limits })
    const events = new TypedEventEmitter<DHTEvents>()
    const told: unknown[] = []
    store.observeWith(recordEvents(events, limits))
    events.addEventListener('record:stored', ({ detail }) => told.push(['stored', detail]))
    events.addEventListener('record:expired', ({ detail }) => told.push(['expired', detail]))
    const key = 'x'.repeat(2000)

    store.apply(recordKey(key, limits), plainRecord('yes', 200))
    clock.time = 200
    store.sweep()

    const detail = { key, expirationTime: 200 }
    expect(told).toEqual([
      ['stored', detail],
      ['expired', detail]
    ])
    expect(store.records).toBe(0)
  })
})
