import { describe, expect, it } from 'vitest'
import { EMPTY_RECORD, recordOf } from '../../src/record/record.ts'
import { ReplicaStore } from '../../src/replica/replica-store.ts'

/** Makes a record of about 1,000 bytes. */
function recordUntil(expirationTime: number): ReturnType<typeof recordOf> {
  return recordOf({ value: new Uint8Array(850), expirationTime })
}

function storeOf(
  limits: { maxRecords?: number; maxBytes?: number } = {},
  clock = () => 0
): ReplicaStore {
  return new ReplicaStore({ maxRecords: 100, maxBytes: 1e6, clock, ...limits })
}

describe('ReplicaStore', () => {
  it('holds what was put until it expires', () => {
    let now = 0
    const store = storeOf({}, () => now)
    store.put('a', recordUntil(10), 'peer')

    expect(store.get('a')).toEqual(recordUntil(10))
    now = 10
    expect(store.get('a')).toEqual(EMPTY_RECORD)
    expect(store.sweep()).toEqual(['a'])
    expect([store.size, store.bytes]).toEqual([0, 0])
  })

  it('sweeps nothing that was replaced by what lives longer', () => {
    let now = 0
    const store = storeOf({}, () => now)
    store.put('a', recordUntil(10), 'peer')
    store.put('a', recordUntil(20), 'other')
    now = 10

    expect(store.sweep()).toEqual([])
    expect(store.size).toBe(1)
  })

  it('has the heaviest writer lose the record that expires first, when there is no room', () => {
    const store = storeOf({ maxBytes: 4500 })

    for (const [i, writer] of ['heavy', 'heavy', 'heavy', 'light'].entries()) {
      expect(store.put(`key ${i}`, recordUntil(10 + i), writer)).toBe(true)
    }

    expect(store.put('key 4', recordUntil(50), 'light')).toBe(true)
    expect([...store.keys()]).toEqual(['key 1', 'key 2', 'key 3', 'key 4'])
  })

  it('refuses what would be the first to go', () => {
    const store = storeOf({ maxRecords: 2 })
    store.put('a', recordUntil(10), 'peer')
    store.put('b', recordUntil(10), 'peer')

    expect(store.put('c', recordUntil(5), 'peer')).toBe(false)
    expect([...store.keys()]).toEqual(['a', 'b'])
  })

  it('stays small when one record is written again and again', () => {
    const store = storeOf()

    for (let i = 0; i < 10_000; i++) {
      store.put('a', recordUntil(10 + i), 'peer')
    }

    expect(store.size).toBe(1)
    expect(store.bytes).toBeLessThan(2000)
  })
})
