import { EMPTY_RECORD, isEmpty, join, plainRecord, recordKey, subkeyRecord } from '@waggle/record'
import { subsumes } from '@waggle/record/replica'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LearnedRecords } from '../../src/reading/learned-records.ts'
import { RecordStore } from '../../src/store/record-store.ts'
import { manualClock } from '../support/manual-clock.ts'

const KEYS = ['a', 'b', 'c'].map((name) => recordKey(name))

const record = fc.oneof(
  fc
    .tuple(fc.nat(2), fc.integer({ min: 1, max: 4 }))
    .map(([value, end]) => plainRecord(value, end)),
  fc
    .tuple(fc.nat(2), fc.nat(2), fc.integer({ min: 1, max: 4 }))
    .map(([subkey, value, end]) => subkeyRecord(subkey, value, end))
)

const write = fc.record({
  into: fc.constantFrom('store' as const, 'cache' as const),
  key: fc.constantFrom(...KEYS),
  record
})

function pair(): { store: RecordStore; cache: RecordStore } {
  const clock = manualClock(0)
  return { store: new RecordStore({ clock }), cache: new RecordStore({ clock }) }
}

function linkedPair(isReplica: boolean) {
  const stores = pair()
  return { ...stores, learned: new LearnedRecords({ ...stores, isReplicaOf: () => isReplica }) }
}

describe('LearnedRecords', () => {
  it('keeps nothing in the cache that the store holds, and loses nothing', () => {
    fc.assert(
      fc.property(fc.array(write, { maxLength: 20 }), (writes) => {
        const linked = linkedPair(true)
        const apart = pair()

        for (const { into, key, record } of writes) {
          linked[into].apply(key, record)
          apart[into].apply(key, record)

          for (const one of KEYS) {
            const { cache, store } = linked
            const cached = cache.get(one)
            expect(isEmpty(cached) || !subsumes(store.get(one), cached, store.limits)).toBe(true)
            expect(store.get(one)).toEqual(apart.store.get(one))
            const known = join(store.get(one), cached, store.limits)
            expect(subsumes(known, apart.cache.get(one), store.limits)).toBe(true)
          }
        }
      })
    )
  })

  it('drops what was cached when this node becomes a replica', () => {
    const { store, cache } = linkedPair(true)
    const key = recordKey('key')
    cache.apply(key, plainRecord('value', 10))
    expect(cache.records).toBe(1)
    store.apply(key, plainRecord('value', 10))

    expect([cache.records, cache.bytes]).toEqual([0, 0])
    expect(cache.get(key)).toEqual(EMPTY_RECORD)
  })

  it('keeps what this node has learned of keys that it is no replica of (N5a)', () => {
    const { store, cache } = linkedPair(false)
    const key = recordKey('key')
    cache.apply(key, plainRecord('value', 10))
    store.apply(key, plainRecord('value', 10))

    expect([cache.records, store.records]).toEqual([1, 1])
  })

  it('keeps a later value than this replica holds, until the store has it, too', () => {
    const { store, cache } = linkedPair(true)
    const key = recordKey('key')
    store.apply(key, plainRecord('old', 10))
    cache.apply(key, plainRecord('new', 20))
    expect(cache.records).toBe(1)
    store.apply(key, plainRecord('new', 20))

    expect(cache.records).toBe(0)
  })
})
