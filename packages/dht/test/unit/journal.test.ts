import { encodeRecord, plainRecord, recordKey, subkeyRecord } from '@waggle/record'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { COMPACTION_SLACK_BYTES, RELAXED_FLUSH_MS } from '../../src/constants.ts'
import { nameOf } from '../../src/store/record-store.ts'
import { KeptStore, pass, settled, stopTime } from '../support/kept-store.ts'

describe('Journal', () => {
  let kept: KeptStore

  beforeEach(() => {
    stopTime()
    kept = new KeptStore()
  })

  afterEach(() => {
    vi.useRealTimers()
  })

  it('writes what is held, as it is encoded', async () => {
    kept.write('party', subkeyRecord('alice', 'yes', 200))
    kept.write('party', subkeyRecord('bob', 'no', 300))
    await pass()

    expect(kept.onDisk('party')).toEqual(encodeRecord(kept.store.get(recordKey('party'))))
  })

  it('makes one write of all changes of one moment', async () => {
    for (let i = 0; i < 100; i++) {
      kept.write(`key ${i}`)
    }

    await pass()

    expect(kept.batchSizes).toEqual([100])
    expect(kept.disk.records.size).toBe(100)
  })

  it('writes of a record that changes often its newest state only', async () => {
    for (let i = 0; i < 50; i++) {
      kept.write('key', plainRecord(i, 200 + i))
    }

    await pass()

    expect(kept.batchSizes).toEqual([1])
    expect(kept.onDisk('key')).toEqual(encodeRecord(plainRecord(49, 249)))
  })

  it('gathers the changes that come while it writes, and writes them together', async () => {
    kept.disk.shut()
    kept.write('first')
    await pass()

    for (const key of ['second', 'third', 'first']) {
      kept.write(key, plainRecord('again', 300))
      await pass()
    }

    expect(kept.disk.batches).toHaveLength(1)
    kept.disk.open()
    await pass()
    await pass()

    expect(kept.batchSizes).toEqual([1, 3])
    expect(kept.onDisk('first')).toEqual(encodeRecord(plainRecord('again', 300)))
  })

  it('writes much in several batches, each with the count as of then', async () => {
    for (let i = 0; i < 2500; i++) {
      kept.write(`key ${i}`)
    }

    await pass()

    expect(kept.batchSizes).toEqual([1000, 1000, 500])
    expect(kept.disk.batches.map(({ records }) => records)).toEqual([1000, 2000, 2500])
  })

  it('writes large records a few at a time', async () => {
    for (let i = 0; i < 10; i++) {
      kept.write(`key ${i}`, plainRecord(new Uint8Array(250_000), 200))
    }

    await pass()

    expect(kept.batchSizes).toEqual([5, 5])
  })

  it('removes from the disk what is swept and what has to give way (N7)', async () => {
    kept = new KeptStore({ maxRecords: 2 })
    kept.write('soon', plainRecord(1, 150))
    kept.write('later', plainRecord(2, 250))
    await pass()
    kept.write('latest', plainRecord(3, 350))
    await pass()

    expect([...kept.disk.records.keys()]).toEqual(
      ['later', 'latest'].map((key) => nameOf(recordKey(key)))
    )
    kept.clock.time = 250
    kept.store.sweep()
    await pass()

    expect([...kept.disk.records.keys()]).toEqual([nameOf(recordKey('latest'))])
    expect(kept.journal).toMatchObject({ records: 1, pending: 0 })
  })

  it('takes from disk what has expired of a record, while the rest lives (N7)', async () => {
    kept = new KeptStore()
    const left = subkeyRecord('carol', 'no', 300)
    kept.write('party', subkeyRecord('alice', 'yes', 200))
    kept.write('party', left)
    kept.clock.time = 200
    kept.store.sweep()
    await pass()

    expect(kept.onDisk('party')).toEqual(encodeRecord(left))
    expect(kept.journal.bytes).toBe(kept.store.bytes)
  })

  it('writes nothing of what comes and goes between two writes', async () => {
    kept.disk.shut()
    kept.write('other')
    await pass()
    kept.write('key', plainRecord(1, 150))
    kept.clock.time = 150
    kept.store.sweep()

    expect(kept.journal.pending).toBe(0)
    kept.disk.open()
    await pass()
    expect(kept.disk.batches).toHaveLength(1)
  })

  it('counts as the store counts', async () => {
    for (let i = 0; i < 20; i++) {
      kept.write(`key ${i}`, plainRecord(new Uint8Array(i), 200 + i))
    }

    kept.clock.time = 205
    kept.store.sweep()
    kept.write('key 10', plainRecord('replaced', 300))
    await pass()

    expect(kept.journal).toMatchObject({ records: kept.store.records, bytes: kept.store.bytes })
  })

  it('has the disk give back room when as much is garbage as in use', async () => {
    const value = new Uint8Array(200_000)
    kept.write('key', plainRecord(value, 200))
    await pass()
    const replacements = Math.floor(COMPACTION_SLACK_BYTES / kept.store.bytes)

    for (let i = 1; i <= replacements; i++) {
      kept.write('key', plainRecord(value, 200 + i))
      await pass()
    }

    expect(kept.disk.compactions).toBe(0)
    kept.write('key', plainRecord(value, 201 + replacements))
    await pass()
    expect(kept.disk.compactions).toBe(1)
  })

  describe('whenDurable', () => {
    it('is nothing to wait for while nothing has changed', async () => {
      expect(kept.store.whenDurable()).toBeUndefined()
      kept.write('key')
      await pass()
      expect(kept.store.whenDurable()).toBeUndefined()
    })

    it('resolves when what was taken in before is on disk', async () => {
      kept.disk.shut()
      kept.write('key')
      const durable = settled(kept.store.whenDurable())
      await pass()

      expect(durable.state).toBe('pending')
      kept.disk.open()
      await pass()
      expect(durable.state).toBe('resolved')
      expect(kept.onDisk('key')).toBeDefined()
    })

    it('has the repetition of a write wait for the first, which is on its way (R3)', async () => {
      kept.disk.shut()
      kept.write('key')
      await pass()
      kept.write('key')
      const durable = settled(kept.store.whenDurable())
      await pass()

      expect(durable.state).toBe('pending')
      kept.disk.open()
      await pass()
      expect(durable.state).toBe('resolved')
      expect(kept.disk.batches).toHaveLength(1)
    })

    it('does not take the write that is under way for that of a later change', async () => {
      kept.disk.shut()
      kept.write('first')
      await pass()
      kept.write('second')
      const durable = settled(kept.store.whenDurable())
      kept.disk.open()
      kept.disk.shut()
      await pass()

      expect(kept.onDisk('first')).toBeDefined()
      expect(durable.state).toBe('pending')
      kept.disk.open()
      await pass()
      expect(durable.state).toBe('resolved')
      expect(kept.onDisk('second')).toBeDefined()
    })

    it('has nobody wait for a change that is gone before it could be written', async () => {
      kept.disk.shut()
      kept.write('other', plainRecord(1, 300))
      await pass()
      kept.write('key', plainRecord(1, 150))
      const durable = settled(kept.store.whenDurable())
      kept.clock.time = 150
      kept.store.sweep()
      kept.disk.open()
      await pass()
      await pass()

      expect(durable.state).toBe('resolved')
    })

    it('rejects what comes after the end', async () => {
      await kept.journal.close()
      kept.write('too late')

      await expect(kept.store.whenDurable()).rejects.toThrow('the node was stopped')
    })

    it.each([
      ['written', false],
      ['synced', true]
    ] as const)('has the disk %s: it is told to sync: %s', async (durability, isSynced) => {
      kept = new KeptStore({ durability })
      kept.write('key')
      await pass()

      expect(kept.disk.batches).toMatchObject([{ isSynced }])
    })
  })

  describe('that is relaxed', () => {
    beforeEach(() => {
      kept = new KeptStore({ durability: 'relaxed' })
    })

    it('has nobody wait', () => {
      kept.write('key')

      expect(kept.store.whenDurable()).toBeUndefined()
    })

    it('writes a change within the time that is promised', async () => {
      kept.write('first')
      await pass(RELAXED_FLUSH_MS - 1)
      kept.write('second')

      expect(kept.disk.batches).toHaveLength(0)
      await pass(1)
      expect(kept.batchSizes).toEqual([2])
    })

    it('writes at the end what is left', async () => {
      kept.write('key')
      expect(await kept.journal.close()).toBe(0)

      expect(kept.onDisk('key')).toBeDefined()
      expect(kept.disk.isClosed).toBe(true)
    })

    it('leaves no timer that would keep the process alive', async () => {
      const timers = vi.getTimerCount()
      kept.write('key')
      await kept.journal.close()

      expect(vi.getTimerCount()).toBe(timers)
    })
  })
})
