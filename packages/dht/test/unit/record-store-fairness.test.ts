import { plainRecord, recordKey, subkeyRecord } from '@waggle/record'
import { describe, expect, it } from 'vitest'
import { RecordStore } from '../../src/store/record-store.ts'
import type { RecordStoreOptions } from '../../src/store/record-store-options.ts'
import { manualClock } from '../support/manual-clock.ts'

const NOW = 1_000
const LATE = NOW + 10_000
const SOON = NOW + 10

function storeOf(options: RecordStoreOptions): RecordStore {
  return new RecordStore({ clock: manualClock(NOW), ...options })
}

/** Stores a record, and returns whether it was accepted. */
function put(store: RecordStore, peer: string, i: number, expirationTime = LATE): boolean {
  return store.apply(recordKey([peer, i]), plainRecord(i, expirationTime), peer).isAccepted
}

function held(store: RecordStore, peer: string, count: number): number {
  const keys = Array.from({ length: count }, (_, i) => recordKey([peer, i]))
  return keys.filter((key) => store.encoded(key) !== undefined).length
}

/** Counts the dictionaries of Alice that accept 10 kB of a peer. */
function addTo(store: RecordStore, count: number, peer: string, subkey = peer): number {
  const large = subkeyRecord([subkey], new Uint8Array(10_000), LATE)
  const dicts = Array.from({ length: count }, (_, i) => recordKey(['dict', i]))
  return dicts.filter((key) => store.apply(key, large, peer).isAccepted).length
}

describe('a store that is full', () => {
  it('takes the room for a flood from the flood, whatever expires when (N7, N9g)', () => {
    const store = storeOf({ maxRecords: 1000 })

    for (let i = 0; i < 300; i++) {
      put(store, 'honest', i, SOON + i / 1000)
    }

    for (let i = 0; i < 10_000; i++) {
      put(store, 'flood', i)
    }

    expect(held(store, 'honest', 300)).toBe(300)
    expect(store.records).toBe(1000)
  })

  it('gives a newcomer room at the expense of the peer with most (N7)', () => {
    const store = storeOf({ maxRecords: 1000 })

    for (let i = 0; i < 1000; i++) {
      put(store, 'large', i)
    }

    for (let i = 0; i < 100; i++) {
      expect(put(store, 'new', i, SOON)).toBe(true)
    }

    expect(held(store, 'new', 100)).toBe(100)
    expect(held(store, 'large', 1000)).toBe(900)
  })

  it('counts bytes as well as records', () => {
    const store = storeOf({ maxBytes: 100_000 })
    const large = plainRecord(new Uint8Array(9_000), LATE)

    for (let i = 0; i < 100; i++) {
      put(store, 'honest', i, SOON)
    }

    for (let i = 0; i < 100; i++) {
      store.apply(recordKey(['large', i]), large, 'large')
    }

    expect(held(store, 'honest', 100)).toBe(100)
    expect(store.bytes).toBeLessThanOrEqual(100_000)
    expect(store.bytes).toBeGreaterThan(80_000)
  })

  it('keeps what is nearest to the node, and of equally near records what expires last', () => {
    const store = storeOf({ maxRecords: 4, nearnessOf: (key) => (key.at(-1) ?? 0) % 4 })

    for (let i = 0; i < 16; i++) {
      store.apply(recordKey(i), plainRecord(i, LATE + i), 'peer')
    }

    const kept = Array.from({ length: 16 }, (_, i) => i).filter(
      (i) => store.encoded(recordKey(i)) !== undefined
    )
    expect(kept).toEqual([3, 7, 11, 15])
    expect(store.apply(recordKey(16), plainRecord(0, LATE * 2), 'peer')).toMatchObject({
      isAccepted: false,
      reason: 'full'
    })
  })

  it('lets expired records go first, of any peer', () => {
    const clock = manualClock(NOW)
    const store = storeOf({ clock, maxRecords: 10 })
    put(store, 'small', 0, SOON)

    for (let i = 0; i < 9; i++) {
      put(store, 'large', i)
    }

    clock.time = SOON
    put(store, 'large', 9)
    expect(held(store, 'large', 10)).toBe(10)
  })
})

describe('one peer', () => {
  it('stores no more than the limit for one, though there is room for others (N9g)', () => {
    const store = storeOf({ maxRecords: 1000, maxRecordsPerPeer: 10 })

    for (let i = 0; i < 100; i++) {
      put(store, 'peer', i)
      put(store, '', i)
    }

    expect(held(store, 'peer', 100)).toBe(10)
    expect(held(store, '', 100)).toBe(100)
  })

  it("can't fill another one's room by adding to its dictionary (N9g)", () => {
    const store = storeOf({ maxBytes: 300_000 })
    const key = recordKey('party')
    store.apply(key, subkeyRecord('alice', 'yes', LATE), 'alice')

    for (let i = 0; i < 20; i++) {
      store.apply(key, subkeyRecord(i, new Uint8Array(10_000), LATE), 'stranger')
      put(store, 'alice', i, SOON)
    }

    for (let i = 0; i < 1000; i++) {
      store.apply(recordKey(['s', i]), plainRecord(new Uint8Array(1000), LATE), 'stranger')
    }

    expect(held(store, 'alice', 20)).toBe(20)
    expect(store.get(key).subkeys.size).toBe(21)
  })

  it('adds no more to what others store than it may store itself (N9g)', () => {
    const store = storeOf({ maxBytes: 10_000_000, maxBytesPerPeer: 100_000 })
    put(store, 'stranger', 0)

    for (let i = 0; i < 50; i++) {
      store.apply(recordKey(['dict', i]), subkeyRecord('alice', 'yes', LATE), 'alice')
    }

    expect(addTo(store, 50, 'stranger')).toBe(9)
    expect(store.bytes).toBeLessThan(110_000)
    expect(held(store, 'stranger', 1)).toBe(1)
    expect(addTo(store, 50, 'alice')).toBe(9)
  })

  it('takes room from nobody by adding to what others store, once there is none (N9g)', () => {
    const store = storeOf({ maxBytes: 500_000 })

    for (let i = 0; i < 50; i++) {
      store.apply(recordKey(['dict', i]), subkeyRecord('alice', 'yes', LATE), 'alice')
      put(store, 'bystander', i, SOON)
    }

    expect(addTo(store, 50, 'stranger')).toBe(49)
    expect(addTo(store, 50, 'stranger', 'more')).toBe(0)
    expect(store.records).toBe(100)
    expect(store.bytes).toBeLessThanOrEqual(500_000)
  })

  it('adds at its own expense, however many have added something before (N9g)', () => {
    const store = storeOf({ maxBytes: 10_000_000, maxBytesPerPeer: 100_000 })
    put(store, 'alice', 0, SOON)

    for (let i = 0; i < 50; i++) {
      for (const peer of ['alice', 1, 2, 3, 4, 5, 6, 7, 8]) {
        store.apply(recordKey(['dict', i]), subkeyRecord(peer, 'yes', LATE), String(peer))
      }
    }

    expect(addTo(store, 50, 'stranger')).toBe(9)
    expect(held(store, 'alice', 1)).toBe(1)
  })

  it('goes on paying for much that it has added, however many add a little after it (N9g)', () => {
    const store = storeOf({ maxBytes: 10_000_000, maxBytesPerPeer: 100_000 })
    const help = (...helpers: readonly number[]): void => {
      for (let i = 0; i < 50; i++) {
        for (const helper of helpers) {
          store.apply(recordKey(['dict', i]), subkeyRecord(helper, 'yes', LATE), `helper ${helper}`)
        }
      }
    }

    for (let i = 0; i < 50; i++) {
      store.apply(recordKey(['dict', i]), subkeyRecord('alice', 'yes', LATE), 'alice')
    }

    help(1, 2, 3, 4, 5, 6, 7)
    expect(addTo(store, 50, 'stranger')).toBe(9)
    help(8, 9, 10, 11, 12, 13, 14, 15)
    expect(addTo(store, 50, 'stranger', 'more')).toBe(0)
  })

  it('pays for what is left of what it has added when some of that has expired (N9g)', () => {
    const clock = manualClock(NOW)
    const store = storeOf({ clock, maxBytes: 10_000_000, maxBytesPerPeer: 100_000 })
    const key = recordKey('party')
    store.apply(key, subkeyRecord('alice', 'yes', LATE), 'alice')
    put(store, 'alice', 0)
    store.apply(key, subkeyRecord('short', new Uint8Array(40_000), SOON), 'stranger')
    store.apply(key, subkeyRecord('long', new Uint8Array(50_000), LATE), 'stranger')

    clock.time = SOON
    store.apply(key, subkeyRecord('alice', 'indeed', LATE + 1), 'alice')
    const large = plainRecord(new Uint8Array(60_000), LATE)

    expect(store.apply(recordKey('stranger'), large, 'stranger')).toMatchObject({ reason: 'full' })
    expect(store.apply(recordKey('alice'), large, 'alice')).toMatchObject({ isAccepted: true })
    expect(held(store, 'alice', 1)).toBe(1)
  })

  it('pays for what it puts in place of another one', () => {
    const store = storeOf({ maxRecordsPerPeer: 1, maxRecords: 10 })
    put(store, 'a', 0)
    store.apply(recordKey(['a', 0]), plainRecord('later', LATE + 1), 'b')

    expect(put(store, 'a', 1)).toBe(true)
    expect(held(store, 'a', 2)).toBe(2)
  })
})
