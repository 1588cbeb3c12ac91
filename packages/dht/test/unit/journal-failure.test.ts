import { plainRecord } from '@waggle/record'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { FIRST_WRITE_RETRY_MS, MAX_WRITE_RETRY_MS } from '../../src/constants.ts'
import { HANG_MS, MAX_CLOSE_MS } from '../../src/persistence/journal.ts'
import { KeptStore, pass, settled, stopTime } from '../support/kept-store.ts'

const FULL = new Error('no space left on device')

describe('Journal on a disk that fails', () => {
  let kept: KeptStore

  beforeEach(() => {
    stopTime()
    kept = new KeptStore()
    kept.disk.failure = FULL
    kept.write('key')
  })

  afterEach(() => {
    vi.useRealTimers()
  })

  it('acknowledges nothing, and says why', async () => {
    const first = settled(kept.store.whenDurable())
    await pass()
    kept.write('other')

    expect(first).toMatchObject({ state: 'rejected', reason: FULL })
    await expect(kept.store.whenDurable()).rejects.toBe(FULL)
    expect(kept.journal.failure).toBe(FULL)
    expect(kept.states).toEqual([FULL])
  })

  it('takes a disk that hangs for a failing one until it answers', async () => {
    await kept.journal.close()
    kept = new KeptStore()
    kept.disk.shut()
    kept.write('key')
    const first = settled(kept.store.whenDurable())
    await pass(HANG_MS - 1)
    expect(kept.states).toEqual([])
    await pass(2)

    expect(first).toMatchObject({ state: 'rejected' })
    expect(kept.states).toEqual([
      expect.objectContaining({ message: expect.stringContaining('has not answered') })
    ])
    kept.write('other')
    await expect(kept.store.whenDurable()).rejects.toThrow('has not answered')
    // Another batch might get there before the one that hangs.
    expect(kept.disk.batches).toHaveLength(1)

    kept.disk.open()
    await pass(MAX_WRITE_RETRY_MS)
    expect(kept.states.at(-1)).toBeUndefined()
    expect(kept.onDisk('other')).toBeDefined()
  })

  it('ends in time on a disk that hangs, and says what is lost', async () => {
    await kept.journal.close()
    kept = new KeptStore()
    kept.disk.shut()
    kept.write('key')
    await pass()
    kept.write('other')
    const closing = kept.journal.close()
    await pass(MAX_CLOSE_MS)

    expect(await closing).toBe(2)
  })

  it('keeps no caller waiting that came while it was failing', async () => {
    kept.disk.shut()
    await pass()
    kept.write('other')
    const second = settled(kept.store.whenDurable())
    kept.disk.open()
    await pass()

    expect(second).toMatchObject({ state: 'rejected', reason: FULL })
  })

  it('tries again, less and less often, and then has everything written', async () => {
    await pass()
    kept.write('other')
    await pass(FIRST_WRITE_RETRY_MS - 1)
    expect(kept.disk.batches).toHaveLength(1)
    await pass(1)
    expect(kept.disk.batches).toHaveLength(2)
    await pass(2 * FIRST_WRITE_RETRY_MS)
    expect(kept.disk.batches).toHaveLength(3)

    kept.disk.failure = undefined
    await pass(MAX_WRITE_RETRY_MS)

    expect(kept.states).toEqual([FULL, undefined])
    expect(kept.onDisk('key')).toBeDefined()
    expect(kept.onDisk('other')).toBeDefined()
    expect(kept.journal).toMatchObject({ pending: 0, failure: undefined })
    expect(kept.store.whenDurable()).toBeUndefined()
  })

  it('never waits longer than the longest wait', async () => {
    await pass(100 * MAX_WRITE_RETRY_MS)
    const { length } = kept.disk.batches
    await pass(MAX_WRITE_RETRY_MS)

    expect(kept.disk.batches).toHaveLength(length + 1)
  })

  it('remembers no more than what is held or on disk (N9d)', async () => {
    kept = new KeptStore({ maxRecords: 10 })

    for (let i = 0; i < 1000; i++) {
      kept.write(`key ${i}`, plainRecord(i, 200 + i))
    }

    await pass()

    for (let i = 1000; i < 2000; i++) {
      kept.write(`key ${i}`, plainRecord(i, 200 + i))
    }

    // Ten that are held, and ten that the failed write may have put there.
    expect(kept.journal.pending).toBe(20)
  })

  it('forgets what was gone before its write failed, and had not been begun (N9d)', async () => {
    kept = new KeptStore({ maxRecords: 1500 })
    kept.disk.failure = FULL
    kept.disk.shut()

    for (let i = 0; i < 1500; i++) {
      kept.write(`key ${i}`, plainRecord(i, 150))
    }

    await pass()
    kept.clock.time = 150
    kept.store.sweep()
    kept.disk.open()
    await pass()

    expect(kept.journal.pending).toBe(1000)
  })

  it('removes later what it could not remove (N7)', async () => {
    kept.disk.failure = undefined
    kept.write('other', plainRecord(1, 150))
    await pass()
    kept.disk.failure = FULL
    kept.clock.time = 150
    kept.store.sweep()
    await pass()

    expect(kept.onDisk('other')).toBeDefined()
    kept.disk.failure = undefined
    await pass(FIRST_WRITE_RETRY_MS)

    expect(kept.onDisk('other')).toBeUndefined()
    expect(kept.journal).toMatchObject({ records: 1, pending: 0, failure: undefined })
  })

  it('counts what is on disk, not what failed to get there', async () => {
    kept = new KeptStore()
    kept.disk.maxRecords = 1500

    for (let i = 0; i < 2500; i++) {
      kept.write(`key ${i}`)
    }

    await pass()
    expect(kept.journal).toMatchObject({ records: 1000, pending: 1500 })
    kept.write('new')
    kept.disk.maxRecords = 2500
    await pass(FIRST_WRITE_RETRY_MS)

    // The third batch has one too many.
    expect(kept.disk.batches.map(({ records }) => records)).toEqual([1000, 2000, 2000, 2501])
    expect(kept.disk.miscounts).toEqual([])
    expect(kept.journal).toMatchObject({ records: 2000, pending: 501 })
  })

  it('says at the end how much could not be written', async () => {
    await pass()
    kept.write('other')

    expect(await kept.journal.close()).toBe(2)
    expect(kept.disk.isClosed).toBe(true)
  })

  it('writes at the end what can be written then', async () => {
    await pass()
    kept.disk.failure = undefined

    expect(await kept.journal.close()).toBe(0)
    expect(kept.onDisk('key')).toBeDefined()
  })
})
