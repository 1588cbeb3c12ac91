import { recordKey } from '@waggle/record'
import { DEFAULT_LIMITS } from '@waggle/record/replica'
import { MemoryDatastore } from 'datastore-core'
import { type Datastore, Key } from 'interface-datastore'
import { fromString } from 'uint8arrays/from-string'
import { toString as stringOf } from 'uint8arrays/to-string'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { datastoreDisk } from '../../src/persistence/datastore-disk.ts'
import type { Batch, Change, Damage } from '../../src/persistence/disk.ts'
import { nameOf } from '../../src/store/record-store.ts'

/** Maximum length of a name in some file systems. */
const MAX_NAME_LENGTH = 143

const SHORT = nameOf(recordKey('key'))
const LONG = nameOf(recordKey('x'.repeat(DEFAULT_LIMITS.maxKeyBytes - 3)))

describe('datastoreDisk', () => {
  let datastore: Datastore

  beforeEach(() => {
    datastore = new MemoryDatastore()
  })

  /** Reads the disk, as a node does at its start. */
  async function reading(): Promise<{ records: Map<string, Uint8Array>; damage?: Damage }> {
    const records = new Map<string, Uint8Array>()
    const damage = await datastoreDisk(datastore).read((name, bytes) => records.set(name, bytes))
    return damage === undefined ? { records } : { records, damage }
  }

  async function pairs(): Promise<[key: string, value: Uint8Array][]> {
    const found: [string, Uint8Array][] = []

    for await (const { key, value } of datastore.query({})) {
      found.push([key.toString(), value])
    }

    return found.sort(([a], [b]) => (a < b ? -1 : 1))
  }

  async function keys(): Promise<string[]> {
    return (await pairs()).map(([key]) => key)
  }

  it.each([
    ['short', SHORT],
    ['long', LONG]
  ])('gives back what was written under a %s name, and removes it', async (_, name) => {
    const disk = datastoreDisk(datastore)
    await disk.write(batchOf({ name, bytes: Uint8Array.of(1, 2) }))
    expect(await reading()).toEqual({ records: new Map([[name, Uint8Array.of(1, 2)]]) })

    await disk.write(batchOf({ name, bytes: Uint8Array.of() }))
    expect(await reading()).toEqual({ records: new Map([[name, Uint8Array.of()]]) })

    await disk.write(batchOf({ name, bytes: undefined }))
    expect(await keys()).toEqual([])
  })

  it('has keys that every datastore takes, however long those of records are (N9d)', async () => {
    datastore = new ShortKeyDatastore()
    const names = Array.from({ length: 200 }, (_, i) => nameOf(recordKey('x'.repeat(i))))
    const changes = [...names, LONG].map((name) => ({ name, bytes: Uint8Array.of(name.length) }))
    await datastoreDisk(datastore).write(batchOf(...changes))

    expect((await reading()).records.size).toBe(201)
  })

  it('puts records where every version looks for them', async () => {
    const long = 'y'.repeat(100)
    const changes = [SHORT, long].map((name) => ({ name, bytes: Uint8Array.of(1) }))
    await datastoreDisk(datastore).write(batchOf(...changes))

    expect(await pairs()).toEqual([
      [
        '/waggle/long-record/k2cg6lnrkox2re55ddimbp3oajwzzu72bp5jiglwwf77ctj6ef5a',
        Uint8Array.of(0, 0, 0, 100, ...Buffer.from(long), 1)
      ],
      ['/waggle/record/f53wcz3hnrss6y3lmv4q', Uint8Array.of(1)]
    ])
  })

  it('reads long names where earlier versions spelled them out, and moves what changes', async () => {
    const [kept = '', changed = '', removed = ''] = ['a', 'b', 'c'].map((text) => text.repeat(90))

    for (const name of [kept, changed, removed]) {
      await datastore.put(spelledOut(name), Uint8Array.of(1))
    }

    const disk = datastoreDisk(datastore)
    const records = new Map<string, Uint8Array>()
    await disk.read((name, bytes) => records.set(name, bytes))
    expect([...records.keys()].sort()).toEqual([kept, changed, removed])

    await disk.write(
      batchOf({ name: changed, bytes: Uint8Array.of(2) }, { name: removed, bytes: undefined })
    )
    expect((await keys()).filter((key) => key.startsWith('/waggle/record/'))).toEqual([
      spelledOut(kept).toString()
    ])
    expect(await reading()).toEqual({
      records: new Map([
        [kept, Uint8Array.of(1)],
        [changed, Uint8Array.of(2)]
      ])
    })
  })

  it('rejects when the datastore hangs while a node starts', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    const disk = datastoreDisk(new HangingDatastore())
    const errors = Promise.allSettled([disk.read(() => {}), disk.note('format')])
    await vi.advanceTimersByTimeAsync(30_000)
    vi.useRealTimers()

    for (const result of await errors) {
      expect(result).toMatchObject({
        reason: { name: 'DataDirError', message: expect.stringContaining('not answered') }
      })
    }
  })

  it.each(['/waggle/record/!', '/waggle/long-record/abc'])(
    'counts and removes what has no name: %s',
    async (key) => {
      await datastore.put(new Key(key), Uint8Array.of(0, 0, 0, 1, 2, 3))
      await datastore.put(new Key(`${key}!`), Uint8Array.of(0))

      expect(await reading()).toEqual({ records: new Map(), damage: { records: 2 } })
      expect(await keys()).toEqual([])
    }
  )
})

/** Makes the key with base32 of the whole name. */
function spelledOut(name: string): Key {
  return new Key(`/waggle/record/${stringOf(fromString(name, 'latin1'), 'base32')}`)
}

function batchOf(...changes: Change[]): Batch {
  return { changes, records: changes.length, isSynced: false }
}

class ShortKeyDatastore extends MemoryDatastore {
  override put(key: Key, value: Uint8Array): Key | Promise<Key> {
    if (key.baseNamespace().length > MAX_NAME_LENGTH) {
      throw new Error('the name is too long')
    }

    return super.put(key, value)
  }
}

class HangingDatastore extends MemoryDatastore {
  override async *query(): AsyncGenerator<never> {
    await new Promise(() => {})
  }

  override has(): Promise<boolean> {
    return new Promise(() => {})
  }
}
