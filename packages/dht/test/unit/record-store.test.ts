import {
  type DHTRecord,
  decodeRecord,
  EMPTY_RECORD,
  encodeRecord,
  join,
  plainRecord,
  recordKey,
  subkeyRecord,
  tombstoneRecord,
  view
} from '@waggle/record'
import { DEFAULT_LIMITS } from '@waggle/record/replica'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { nameOf, RecordStore } from '../../src/store/record-store.ts'
import type { RecordStoreOptions } from '../../src/store/record-store-options.ts'
import { type ManualClock, manualClock } from '../support/manual-clock.ts'

const KEY = recordKey('party')

/** Makes a value of nearly this many bytes. */
function large(bytes: number): Uint8Array {
  return new Uint8Array(bytes)
}

function sizeOf(key: Uint8Array, record: DHTRecord): number {
  return key.length + encodeRecord(record).length
}

describe('RecordStore', () => {
  let clock: ManualClock
  let store: RecordStore

  beforeEach(() => {
    clock = manualClock(100)
    store = storeOf()
  })

  function storeOf(options: RecordStoreOptions = {}): RecordStore {
    return new RecordStore({ clock, ...options })
  }

  /** Returns the values of some keys; undefined where there is none. */
  function values(names: readonly string[]): unknown[] {
    return names.map((name) => view(store.get(recordKey(name)), clock())?.value)
  }

  it('holds nothing at first', () => {
    expect(store.get(KEY)).toBe(EMPTY_RECORD)
    expect(store.encoded(KEY)).toBeUndefined()
    expect(store).toMatchObject({ records: 0, bytes: 0 })
  })

  it('gives back what was stored', () => {
    const write = plainRecord('yes', 200)

    expect(store.apply(KEY, write)).toEqual({ isAccepted: true, record: write })
    expect(store.get(KEY)).toEqual(write)
  })

  it('keeps what is under other keys apart', () => {
    store.apply(KEY, plainRecord('yes', 200))
    store.apply(recordKey(Uint8Array.of(255, 0)), plainRecord('no', 200))

    expect(store.get(recordKey(Uint8Array.of(255, 1)))).toBe(EMPTY_RECORD)
    expect(view(store.get(KEY), 100)?.value).toBe('yes')
    expect(store.records).toBe(2)
  })

  it('merges what different writers say (N2, R5)', () => {
    const writes = [
      subkeyRecord('alice', 'yes', 300),
      subkeyRecord('carol', 'no', 200),
      subkeyRecord('alice', 'perhaps', 250)
    ]

    for (const write of writes) {
      store.apply(KEY, write)
    }

    expect(store.get(KEY)).toEqual(writes.reduce((a, b) => join(a, b)))
  })

  it('rejects what is beaten, and stays as it was (R6)', () => {
    store.apply(KEY, plainRecord('later', 300))
    const before = { record: store.get(KEY), bytes: store.bytes }

    expect(store.apply(KEY, plainRecord('sooner', 200))).toMatchObject({
      isAccepted: false,
      reason: 'stale'
    })
    expect({ record: store.get(KEY), bytes: store.bytes }).toEqual(before)
  })

  it('accepts again what it holds already (R3)', () => {
    store.apply(KEY, plainRecord('yes', 300))
    const { bytes } = store

    expect(store.apply(KEY, plainRecord('yes', 300)).isAccepted).toBe(true)
    expect(store).toMatchObject({ records: 1, bytes })
  })

  it('forgets a value at the moment it expires, not before (R1)', () => {
    store.apply(KEY, plainRecord('yes', 200))

    clock.time = 199.999
    expect(view(store.get(KEY), clock())?.value).toBe('yes')
    expect(store.encoded(KEY)).toBeDefined()
    clock.time = 200
    expect(store.get(KEY)).toEqual(EMPTY_RECORD)
    expect(store.encoded(KEY)).toBeUndefined()
  })

  it('forgets each subkey at its own moment (R1)', () => {
    store.apply(KEY, subkeyRecord('alice', 'yes', 200))
    store.apply(KEY, subkeyRecord('carol', 'no', 300))

    clock.time = 200
    expect(store.get(KEY)).toEqual(subkeyRecord('carol', 'no', 300))
  })

  it('rejects what has expired (R1)', () => {
    expect(store.apply(KEY, plainRecord('late', 100))).toMatchObject({
      isAccepted: false,
      reason: 'expired'
    })
    expect(store.records).toBe(0)
  })

  it('lets a value take the place of a longer one that has expired (R1, R2)', () => {
    store.apply(KEY, plainRecord('first', 200))
    clock.time = 200
    store.apply(KEY, plainRecord('second', 300))

    expect(store.get(KEY)).toEqual(plainRecord('second', 300))
    expect(store.bytes).toBe(sizeOf(KEY, plainRecord('second', 300)))
  })

  it('keeps a tombstone as long as it says, and shows nothing for it (R9)', () => {
    store.apply(KEY, plainRecord('yes', 200))
    store.apply(KEY, tombstoneRecord(300))

    expect(view(store.get(KEY), 100)).toBeUndefined()
    expect(store.apply(KEY, plainRecord('again', 250))).toMatchObject({ reason: 'stale' })
    expect(store.records).toBe(1)
  })

  it('removes from memory what has expired, and nothing else (N7)', () => {
    store.apply(recordKey('a'), plainRecord('a', 200))
    store.apply(recordKey('b'), plainRecord('b', 201))
    store.apply(recordKey('c'), plainRecord('c', 150))
    store.apply(recordKey('c'), plainRecord('longer', 300))

    clock.time = 200
    expect(store.records).toBe(3)
    store.sweep()

    expect(store.records).toBe(2)
    expect(values(['a', 'b', 'c'])).toEqual([undefined, 'b', 'longer'])

    clock.time = 300
    store.sweep()
    expect(store).toMatchObject({ records: 0, bytes: 0 })
  })

  it('removes from memory subkeys that have expired, while others live (R1, N7)', () => {
    const gone: string[] = []
    store.observeWith({ onStored: () => {}, onExpired: (name) => gone.push(name) })
    store.apply(KEY, subkeyRecord('alice', large(1000), 200), 'alice')
    store.apply(KEY, subkeyRecord('carol', 'no', 300), 'carol')
    store.apply(KEY, subkeyRecord('dave', 'no', 400), 'dave')
    const left = subkeyRecord('dave', 'no', 400)

    clock.time = 300
    store.sweep()
    expect(store).toMatchObject({ records: 1, bytes: sizeOf(KEY, left) })
    expect(store.encodedAsHeld(nameOf(KEY))).toEqual(encodeRecord(left))
    expect(gone).toEqual([])

    clock.time = 400
    store.sweep()
    expect(store).toMatchObject({ records: 0, bytes: 0 })
    expect(gone).toEqual([nameOf(KEY)])
  })

  it.each(['written', 'held'] as const)(
    'keeps no bytes of subkeys that have expired, of a dictionary %s at once (N7, N9d)',
    (way) => {
      const both = join(subkeyRecord('alice', large(1000), 200), subkeyRecord('dave', 'no', 400))
      const received = decodeRecord(encodeRecord(both))
      way === 'written' ? store.apply(KEY, received, 'alice') : store.hold(KEY, received)
      clock.time = 200
      store.sweep()
      const [left] = store.get(KEY).subkeys.values()

      expect(store.bytes).toBe(sizeOf(KEY, subkeyRecord('dave', 'no', 400)))
      expect(left?.value?.buffer.byteLength).toBe(left?.value?.length)
    }
  )

  it('removes at once all that has expired of a large dictionary since it was swept last (N7)', () => {
    const noteChange = vi.fn()

    for (let i = 0; i < 4096; i++) {
      store.apply(KEY, subkeyRecord(i, 'yes', 200 + i / 4096))
    }

    store.persistWith({ noteChange, whenDurable: () => undefined })
    clock.time = 200.5
    store.sweep()
    store.sweep()

    expect(store.get(KEY).subkeys.size).toBe(2047)
    expect(store.bytes).toBe(sizeOf(KEY, store.get(KEY)))
    expect(noteChange).toHaveBeenCalledOnce()
  })

  it('does not sweep thousands of dictionaries at once, but says that there are more (N9f)', () => {
    for (let i = 0; i < 1000; i++) {
      store.apply(recordKey(i), subkeyRecord('alice', 'yes', 200))
      store.apply(recordKey(i), subkeyRecord('carol', 'no', 300))
    }

    clock.time = 200
    const whole = store.bytes
    expect(store.sweep()).toBe(true)
    expect(store.bytes).toBeGreaterThan(whole * 0.8)

    while (store.sweep()) {
      expect(store.bytes).toBeLessThan(whole)
    }

    const left = subkeyRecord('carol', 'no', 300)
    const keys = Array.from({ length: 1000 }, (_, i) => recordKey(i))
    expect(store.bytes).toBe(keys.reduce((sum, key) => sum + sizeOf(key, left), 0))
  })

  it('takes the repetition of a write for nothing new when other subkeys have expired (R3)', () => {
    const stored: string[] = []
    store.apply(KEY, subkeyRecord('alice', 'yes', 200))
    store.apply(KEY, subkeyRecord('carol', 'no', 300))
    store.observeWith({ onStored: (name) => stored.push(name), onExpired: () => {} })

    clock.time = 200
    expect(store.apply(KEY, subkeyRecord('carol', 'no', 300)).isAccepted).toBe(true)
    expect(stored).toEqual([])
  })

  it('gives the canonical bytes of what is live (R10)', () => {
    store.apply(KEY, subkeyRecord('carol', 'no', 300))
    store.apply(KEY, subkeyRecord('alice', 'yes', 200))
    const other = storeOf()
    other.apply(KEY, subkeyRecord('alice', 'yes', 200))
    other.apply(KEY, subkeyRecord('carol', 'no', 300))

    expect(store.encoded(KEY)).toEqual(encodeRecord(store.get(KEY)))
    expect(store.encoded(KEY)).toEqual(other.encoded(KEY))

    clock.time = 200
    expect(store.encoded(KEY)).toEqual(encodeRecord(subkeyRecord('carol', 'no', 300)))
  })

  it('encodes a record once, until it changes', () => {
    store.apply(KEY, plainRecord('yes', 200))
    const bytes = store.encoded(KEY)

    store.apply(KEY, plainRecord('yes', 200))
    expect(store.encoded(KEY)).toBe(bytes)
    store.apply(KEY, plainRecord('no', 300))
    expect(store.encoded(KEY)).toEqual(encodeRecord(plainRecord('no', 300)))
  })

  it('encodes once what is left when some has expired, until more has', () => {
    store.apply(KEY, subkeyRecord('alice', 'yes', 200))
    store.apply(KEY, subkeyRecord('carol', 'no', 300))
    store.apply(KEY, subkeyRecord('dave', 'no', 400))
    clock.time = 200
    const bytes = store.encoded(KEY)

    clock.time = 250
    expect(store.encoded(KEY)).toBe(bytes)
    store.sweep()
    expect(store.encoded(KEY)).toBe(bytes)
    clock.time = 300
    expect(store.encoded(KEY)).toEqual(encodeRecord(subkeyRecord('dave', 'no', 400)))
  })

  it('drops first what expires first, beyond the limit of records (N7)', () => {
    store = storeOf({ maxRecords: 2 })
    store.apply(recordKey('b'), plainRecord('b', 300))
    store.apply(recordKey('a'), plainRecord('a', 200))
    store.apply(recordKey('c'), plainRecord('c', 250))

    expect(values(['a', 'b', 'c'])).toEqual([undefined, 'b', 'c'])
    expect(store.records).toBe(2)
  })

  it('goes by the latest write to a key when it drops what expires first (N7)', () => {
    store = storeOf({ maxRecords: 2 })
    store.apply(recordKey('a'), plainRecord('a', 200))
    store.apply(recordKey('b'), plainRecord('b', 300))
    store.apply(recordKey('a'), plainRecord('longer', 400))
    store.apply(recordKey('c'), plainRecord('c', 350))

    expect(values(['a', 'b', 'c'])).toEqual(['longer', undefined, 'c'])
  })

  it('rejects as full what would be dropped at once (N7)', () => {
    store = storeOf({ maxRecords: 1 })
    store.apply(recordKey('a'), plainRecord('a', 300))

    expect(store.apply(recordKey('b'), plainRecord('b', 200))).toEqual({
      isAccepted: false,
      record: EMPTY_RECORD,
      reason: 'full'
    })
    expect(values(['a', 'b'])).toEqual(['a', undefined])
  })

  it('drops as many as it must and no more, beyond the limit of bytes (N7)', () => {
    store = storeOf({ maxBytes: 400 })
    store.apply(recordKey('a'), plainRecord(large(100), 200))
    store.apply(recordKey('b'), plainRecord('b', 300))
    store.apply(recordKey('c'), plainRecord(large(100), 250))
    store.apply(recordKey('d'), plainRecord(large(300), 400))

    expect(values(['a', 'b', 'c', 'd'])).toEqual([undefined, 'b', undefined, large(300)])
    expect(store.bytes).toBe(
      sizeOf(recordKey('b'), plainRecord('b', 300)) +
        sizeOf(recordKey('d'), plainRecord(large(300), 400))
    )
  })

  it('rejects as full what is larger than all the room there is, and keeps the rest (N7)', () => {
    store = storeOf({ maxBytes: 400 })
    store.apply(recordKey('a'), plainRecord('a', 200))

    expect(store.apply(recordKey('b'), plainRecord(large(500), 300))).toMatchObject({
      isAccepted: false,
      reason: 'full'
    })
    expect(values(['a', 'b'])).toEqual(['a', undefined])
  })

  it('keeps what a key holds when there is no room for more of it (R6, N7)', () => {
    store = storeOf({ maxBytes: 400 })
    store.apply(recordKey('other'), plainRecord(large(150), 300))
    store.apply(recordKey('party'), subkeyRecord('alice', 'yes', 200))
    const before = store.bytes

    expect(store.apply(recordKey('party'), subkeyRecord('carol', large(250), 210))).toMatchObject({
      isAccepted: false,
      record: subkeyRecord('alice', 'yes', 200),
      reason: 'full'
    })
    expect(store.get(recordKey('party'))).toEqual(subkeyRecord('alice', 'yes', 200))
    expect(store).toMatchObject({ records: 2, bytes: before })
  })

  it('holds single records to their limits (R12)', () => {
    store = storeOf({ limits: { ...DEFAULT_LIMITS, maxRecordBytes: 100 } })
    store.apply(KEY, subkeyRecord('alice', 'yes', 200))

    expect(store.apply(KEY, subkeyRecord('carol', large(100), 300))).toMatchObject({
      isAccepted: false,
      reason: 'full'
    })
    expect(store.get(KEY)).toEqual(subkeyRecord('alice', 'yes', 200))
  })
})
