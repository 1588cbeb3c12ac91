import { Record as Libp2pRecord } from '@libp2p/kad-dht'
import {
  type DHTRecord,
  decodeRecord,
  encodeRecord,
  join,
  plainRecord,
  recordKey,
  subkeyRecord
} from '@waggle/record'
import { type Datastore, Key } from 'interface-datastore'
import { fromString } from 'uint8arrays/from-string'
import { toString as stringOf } from 'uint8arrays/to-string'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { mergingDatastore } from '../../src/kad/merging-datastore.ts'
import { RecordStore } from '../../src/store/record-store.ts'
import { type ManualClock, manualClock } from '../support/manual-clock.ts'
import { ManualPersistence } from '../support/manual-persistence.ts'
import { mapDatastore } from '../support/map-datastore.ts'

const PREFIX = '/dht'
const KEY = recordKey('party')

/** Returns kad-dht's name of a record: its prefix, and the key in base32. */
function placeOf(key: Uint8Array, prefix = PREFIX): Key {
  return new Key(`${prefix}/record/${stringOf(key, 'base32')}`)
}

/** Wraps a record as kad-dht gives it to its datastore. */
function envelope(key: Uint8Array, record: DHTRecord, timeReceived = new Date(0)): Uint8Array {
  return new Libp2pRecord(key, encodeRecord(record), timeReceived).serialize()
}

describe('mergingDatastore', () => {
  let clock: ManualClock
  let store: RecordStore
  let underneath: Datastore
  let datastore: Datastore

  beforeEach(() => {
    clock = manualClock(100)
    store = new RecordStore({ clock })
    underneath = mapDatastore()
    datastore = mergingDatastore(underneath, store, PREFIX)
  })

  async function put(record: DHTRecord, key = KEY): Promise<Key> {
    return datastore.put(placeOf(key), envelope(key, record))
  }

  async function got(key = KEY): Promise<Libp2pRecord> {
    return Libp2pRecord.deserialize(await datastore.get(placeOf(key)))
  }

  it('has kad-dht wait until a record is as safe as the node is to make it', async () => {
    const keeper = new ManualPersistence()
    store.persistWith(keeper)
    let isPut = false
    const putting = put(plainRecord('yes', 200)).then(() => {
      isPut = true
    })
    await vi.waitFor(() => expect(keeper.waiting).toHaveLength(1))

    expect(store.get(KEY)).toEqual(plainRecord('yes', 200))
    expect(isPut).toBe(false)
    keeper.waiting[0]?.resolve()
    await putting
    expect(isPut).toBe(true)
  })

  it('throws when a record can not be made safe, which tells the sender', async () => {
    const keeper = new ManualPersistence()
    const full = new Error('no space left on device')
    store.persistWith(keeper)
    const putting = put(plainRecord('yes', 200))
    await vi.waitFor(() => expect(keeper.waiting).toHaveLength(1))
    keeper.waiting[0]?.reject(full)

    await expect(putting).rejects.toBe(full)
  })

  it('gives back what kad-dht put, and keeps it in the record store alone (N2)', async () => {
    await expect(put(plainRecord('yes', 200))).resolves.toEqual(placeOf(KEY))
    const { key, value } = await got()

    expect(key).toEqual(KEY)
    expect(decodeRecord(value)).toEqual(plainRecord('yes', 200))
    expect(store.get(KEY)).toEqual(plainRecord('yes', 200))
    expect(await underneath.has(placeOf(KEY))).toBe(false)
  })

  it('merges what kad-dht would have put one over the other (N2)', async () => {
    const writes = [subkeyRecord('alice', 'yes', 200), subkeyRecord('carol', 'no', 300)] as const
    await Promise.all(writes.map((write) => put(write)))

    expect(decodeRecord((await got()).value)).toEqual(join(...writes))
  })

  it('merges with what came by another way (N2)', async () => {
    store.apply(KEY, subkeyRecord('alice', 'yes', 200))
    await put(subkeyRecord('carol', 'no', 300))

    expect(store.get(KEY).subkeys.size).toBe(2)
  })

  it.each([
    ['what is beaten', plainRecord('sooner', 200), 'a later one is stored'],
    ['what has expired', plainRecord('late', 100), 'has expired']
  ])('throws for %s, so that the sender learns of it (N2)', async (_, record, reason) => {
    await put(plainRecord('held', 300))

    await expect(put(record)).rejects.toMatchObject({
      name: 'ValidationError',
      message: expect.stringContaining(reason)
    })
    expect(store.get(KEY)).toEqual(plainRecord('held', 300))
  })

  it('throws when there is no room (N7)', async () => {
    store = new RecordStore({ clock, maxRecords: 1 })
    datastore = mergingDatastore(underneath, store, PREFIX)
    await put(plainRecord('held', 300))

    await expect(put(plainRecord('more', 200), recordKey('other'))).rejects.toMatchObject({
      name: 'ValidationError',
      message: expect.stringContaining('the store is full')
    })
  })

  it('takes again what it holds (R3)', async () => {
    await put(plainRecord('yes', 200))

    await expect(put(plainRecord('yes', 200))).resolves.toBeDefined()
  })

  it.each([
    ['bytes that are no record', fromString('bees')],
    ['an expiration beyond all limits', encodeRecord(plainRecord('yes', 1e9))],
    ['a record with more bytes behind it', Uint8Array.of(...encodeRecord(plainRecord(1, 200)), 0)]
  ])('refuses %s (N9a)', async (_, bytes) => {
    const value = new Libp2pRecord(KEY, bytes, new Date()).serialize()

    await expect(async () => datastore.put(placeOf(KEY), value)).rejects.toThrow(Error)
    expect(store.records).toBe(0)
  })

  it('refuses what is not even an envelope (N9a)', async () => {
    await expect(async () => datastore.put(placeOf(KEY), fromString('bees'))).rejects.toThrow(Error)
    expect(store.records).toBe(0)
  })

  it('knows nothing of a record from the moment it expires (R1)', async () => {
    await put(plainRecord('yes', 200))
    clock.time = 199
    expect(await datastore.has(placeOf(KEY))).toBe(true)

    clock.time = 200
    expect(await datastore.has(placeOf(KEY))).toBe(false)
    await expect(got()).rejects.toMatchObject({ name: 'NotFoundError' })
  })

  it('gives NotFoundError for what was never stored', async () => {
    await expect(got()).rejects.toMatchObject({ name: 'NotFoundError' })
  })

  it('says that it received a record just now, or kad-dht would delete it after two days', async () => {
    await put(plainRecord('yes', 200))
    const before = Date.now()
    const { timeReceived } = await got()

    expect(timeReceived.getTime()).toBeGreaterThanOrEqual(before)
    expect(timeReceived.getTime()).toBeLessThanOrEqual(Date.now())
  })

  it('keeps what kad-dht believes to be outdated', async () => {
    const deleted = vi.spyOn(underneath, 'delete')
    await put(plainRecord('yes', 200))
    await datastore.delete(placeOf(KEY))

    expect(deleted).not.toHaveBeenCalled()
    expect(await datastore.has(placeOf(KEY))).toBe(true)
  })
})

describe('mergingDatastore, for all else', () => {
  const OTHERS: [what: string, place: Key][] = [
    ["another namespace's record", placeOf(fromString('/pk/bee'))],
    ['a record under another prefix', placeOf(KEY, '/lan')],
    ['a provider', new Key('/dht/provider/bee')],
    ['what an application keeps', new Key('/recipes/honey')],
    ['a place that only begins alike', new Key('/dht/records/honey')]
  ]
  const VALUE = fromString('not ours')
  let store: RecordStore
  let underneath: Datastore
  let datastore: Datastore

  beforeEach(() => {
    store = new RecordStore()
    underneath = mapDatastore()
    datastore = mergingDatastore(underneath, store, PREFIX)
  })

  it.each(OTHERS)('is the datastore underneath: %s (N2)', async (_, place) => {
    await datastore.put(place, VALUE)
    await datastore.put(place, VALUE)

    expect(await underneath.get(place)).toEqual(VALUE)
    expect(await datastore.get(place)).toEqual(VALUE)
    expect(await datastore.has(place)).toBe(true)
    expect(store.records).toBe(0)

    await datastore.delete(place)
    expect(await underneath.has(place)).toBe(false)
    await expect(async () => datastore.get(place)).rejects.toMatchObject({ name: 'NotFoundError' })
  })

  it('passes on calls for many at once, with their owner', async () => {
    await datastore.put(new Key('/recipes/honey'), VALUE)
    await datastore.put(new Key('/flowers/clover'), VALUE)
    const found: string[] = []

    for await (const { key } of datastore.query({ prefix: '/recipes' })) {
      found.push(key.toString())
    }

    expect(found).toEqual(['/recipes/honey'])
  })

  it('says so when a place under its prefix is not in base32', async () => {
    await expect(async () => datastore.get(new Key('/dht/record/0189'))).rejects.toMatchObject({
      name: 'InvalidKeyError'
    })
  })
})
