import { randomBytes } from 'node:crypto'
import { chmod, open, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { encodeRecord, plainRecord, recordKey, subkeyRecord } from '@waggle/record'
import { DEFAULT_LIMITS } from '@waggle/record/replica'
import { MemoryDatastore } from 'datastore-core'
import { type Datastore, Key } from 'interface-datastore'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { DataDirError } from '../../src/errors.ts'
import { openDataDir } from '../../src/persistence/data-dir.ts'
import { openPersistence, type Persistence } from '../../src/persistence/persistence.ts'
import type { PersistenceOptions } from '../../src/persistence/persistence-options.ts'
import { nameOf, RecordStore } from '../../src/store/record-store.ts'
import type { RecordStoreOptions } from '../../src/store/record-store-options.ts'
import { asOrdinaryUser } from '../support/as-ordinary-user.ts'
import { type ManualClock, manualClock } from '../support/manual-clock.ts'
import { rejection } from '../support/rejection.ts'
import { silentLog } from '../support/silent-log.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts'

const NOW = 1_000_000
const DAY = 86_400

let directory: TemporaryDirectory
let clock: ManualClock
let store: RecordStore
let persistence: Persistence | undefined
let warnings: string[]

beforeEach(async () => {
  directory = await temporaryDirectory()
  clock = manualClock(NOW)
  warnings = []
  vi.spyOn(process, 'emitWarning').mockImplementation((message) => {
    warnings.push(String(message))
  })
})

afterEach(async () => {
  await persistence?.close()
  persistence = undefined
  vi.restoreAllMocks()
  await directory[Symbol.asyncDispose]()
})

/** Starts again, with an empty store. */
async function start(
  place: PersistenceOptions,
  options: RecordStoreOptions = {}
): Promise<Persistence> {
  await persistence?.close()
  persistence = undefined
  store = new RecordStore({ clock, ...options })
  persistence = await openPersistence({
    ...place,
    store,
    logger: { forComponent: () => silentLog }
  })

  if (persistence === undefined) {
    throw new Error('nothing is kept')
  }

  return persistence
}

function held(...keys: string[]): boolean[] {
  return keys.map((key) => store.encoded(recordKey(key)) !== undefined)
}

describe('openPersistence', () => {
  it('keeps nothing when it is not told where', async () => {
    const logger = { forComponent: () => silentLog }

    expect(await openPersistence({ store: new RecordStore(), logger })).toBeUndefined()
  })
})

describe.each<[string, () => PersistenceOptions]>([
  ['a dataDir', () => ({ dataDir: join(directory.path, 'data') })],
  ['a datastore', withMemory()]
])('openPersistence with %s', (_, placeOf) => {
  let place: PersistenceOptions

  beforeEach(() => {
    place = placeOf()
  })

  it('gives back what was held, to the byte', async () => {
    await start(place)
    store.apply(recordKey('plain'), plainRecord({ some: ['value', 1n] }, NOW + 10))
    store.apply(recordKey('party'), subkeyRecord('alice', 'yes', NOW + 10))
    store.apply(recordKey('party'), subkeyRecord('bob', 'no', NOW + 20))
    const before = ['plain', 'party'].map((key) => store.encoded(recordKey(key)))
    const { bytes } = store
    const again = await start(place)

    expect(['plain', 'party'].map((key) => store.encoded(recordKey(key)))).toEqual(before)
    expect(again.stats()).toEqual({
      durability: 'written',
      state: 'ok',
      error: undefined,
      pending: 0,
      records: 2,
      bytes,
      restored: 2,
      damaged: 0,
      damagedFiles: undefined
    })
    expect(warnings).toEqual([])
  })

  it('leaves out what has expired meanwhile, and removes it once the clock is trusted (R1, N7)', async () => {
    await start(place)
    store.apply(recordKey('sooner'), plainRecord(1, NOW + 10))
    store.apply(recordKey('later'), plainRecord(2, NOW + 20))
    store.apply(recordKey('party'), subkeyRecord('alice', 1, NOW + 10))
    store.apply(recordKey('party'), subkeyRecord('bob', 2, NOW + 20))
    clock.time = NOW + 10
    const again = await start(place)

    expect(held('sooner', 'later', 'party')).toEqual([false, true, true])
    expect(store.get(recordKey('party'))).toEqual(subkeyRecord('bob', 2, NOW + 20))
    expect(again.stats()).toMatchObject({ records: 3, restored: 2, damaged: 0 })
    store.sweep()
    expect((await start(place)).stats()).toMatchObject({ records: 3, restored: 2 })
    store.resumeExpiration()
    store.sweep()
    expect((await start(place)).stats()).toMatchObject({ records: 2, restored: 2 })
  })

  it('keeps what goes beyond a bound that has been lowered off the disk, too (N7)', async () => {
    await start(place)

    for (let i = 0; i < 10; i++) {
      store.apply(recordKey(i), plainRecord(i, NOW + 10 + i))
    }

    expect((await start(place, { maxRecords: 3 })).stats()).toMatchObject({ restored: 3 })
    expect((await start(place)).stats()).toMatchObject({ records: 3, restored: 3 })
    expect(store.get(recordKey(9))).toEqual(plainRecord(9, NOW + 19))
  })

  it('keeps what expires too far ahead for a clock that has yet to be set', async () => {
    await start(place)
    store.apply(recordKey('key'), plainRecord(1, NOW + 10))
    clock.time = NOW - 40 * DAY
    const early = await start(place)

    expect(held('key')).toEqual([false])
    expect(early.stats()).toMatchObject({ restored: 0, damaged: 0, records: 1 })

    clock.time = NOW
    await start(place)
    expect(held('key')).toEqual([true])
  })

  it('leaves out what breaks the limits of today (R12)', async () => {
    await start(place)
    store.apply(recordKey('large'), plainRecord('x'.repeat(100), NOW + 10))
    store.apply(recordKey('small'), plainRecord('x', NOW + 10))
    const limits = { ...DEFAULT_LIMITS, maxValueBytes: 50 }

    expect((await start(place, { limits })).stats()).toMatchObject({ restored: 1 })
    expect(held('large', 'small')).toEqual([false, true])
  })

  it('remembers the addresses of peers, those saved last', async () => {
    const first = await start(place)
    expect(await first.peers.load()).toEqual([])
    await first.peers.save(['/ip4/127.0.0.1/tcp/1', '/ip4/127.0.0.1/tcp/2'])
    await first.peers.save(['/ip4/127.0.0.1/tcp/3', '/ip6/::1/tcp/4'])
    const again = await start(place)

    expect(await again.peers.load()).toEqual(['/ip4/127.0.0.1/tcp/3', '/ip6/::1/tcp/4'])
    await again.peers.save([])
    expect(await (await start(place)).peers.load()).toEqual([])
  })

  it('takes in the same store again, with what it has got meanwhile', async () => {
    const logger = { forComponent: () => silentLog }
    await start(place)
    store.apply(recordKey('before'), plainRecord(1, NOW + 10))
    await persistence?.close()
    store.apply(recordKey('between'), plainRecord(2, NOW + 10))
    persistence = await openPersistence({ ...place, store, logger })
    await start(place)

    expect(held('before', 'between')).toEqual([true, true])
  })
})

function withMemory(): () => PersistenceOptions {
  return () => ({ datastore: new MemoryDatastore() })
}

describe('openPersistence with a dataDir', () => {
  it('refuses what a newer version has written, and leaves it alone', async () => {
    const dataDir = join(directory.path, 'data')
    await start({ dataDir })
    store.apply(recordKey('key'), plainRecord(1, NOW + 10))
    await persistence?.close()
    persistence = undefined
    const disk = await openDataDir(dataDir)
    await disk.setNote('format', '2')
    await disk.close()
    const error = await rejection(start({ dataDir }))

    expect(error).toBeInstanceOf(DataDirError)
    expect(error.message).toContain(`dataDir: ${dataDir}: a newer version of @waggle/dht`)
    expect(error.message).toContain('in format 2; this one reads up to 1')

    const again = await openDataDir(dataDir)
    const names: string[] = []
    await again.read((name) => names.push(name))
    await again.close()
    expect(names).toEqual([nameOf(recordKey('key'))])
  })

  it('repairs a database in which not even the format can be read', async () => {
    const dataDir = join(directory.path, 'data')
    await start({ dataDir })

    for (let i = 0; i < 1000; i++) {
      store.apply(recordKey(i), plainRecord(randomBytes(100), NOW + 10))
    }

    // Opening writes the log into a table, with the notes in its first block.
    await start({ dataDir })
    await persistence?.close()
    persistence = undefined
    const folder = join(dataDir, 'records')
    const table = (await readdir(folder)).find((name) => name.endsWith('.ldb')) ?? ''
    const file = await open(join(folder, table), 'r+')
    await file.write(new Uint8Array(200).fill(0xa5), 0, 200, 0)
    await file.close()
    const { restored, damaged } = (await start({ dataDir })).stats()

    expect(restored).toBeGreaterThan(900)
    expect(restored).toBeLessThan(1000)
    expect(damaged).toBe(1000 - restored)
    expect((await start({ dataDir })).stats()).toMatchObject({ restored, damaged: 0 })
  })

  it('warns of damage, naming the directory, how much is lost, and where the files are', async () => {
    const dataDir = join(directory.path, 'data')
    await start({ dataDir })
    store.apply(recordKey('key'), plainRecord(1, NOW + 10))
    await persistence?.close()
    persistence = undefined
    await writeFile(join(dataDir, 'records', 'CURRENT'), 'bees')
    const again = await start({ dataDir })
    const damagedFiles = join(dataDir, 'records.damaged')

    expect(again.stats()).toMatchObject({ restored: 1, damaged: 0, damagedFiles })
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toContain(
      `dataDir: ${dataDir}: damaged: 0 records could not be read, 1 are`
    )
    expect(warnings[0]).toContain(damagedFiles)
    expect((await start({ dataDir })).stats()).toMatchObject({
      restored: 1,
      damagedFiles: undefined
    })
  })
})

describe('openPersistence with a datastore', () => {
  let datastore: Datastore

  beforeEach(() => {
    datastore = new MemoryDatastore()
  })

  async function keys(): Promise<string[]> {
    const found: string[] = []

    for await (const key of datastore.queryKeys({})) {
      found.push(key.toString())
    }

    return found
  }

  it('leaves alone what is in it besides', async () => {
    await datastore.put(new Key('/mine/own'), Uint8Array.of(1))
    await start({ datastore })
    store.apply(recordKey('key'), plainRecord(1, NOW + 10))
    await start({ datastore })

    expect(await datastore.get(new Key('/mine/own'))).toEqual(Uint8Array.of(1))
    const others = (await keys()).filter((key) => key !== '/mine/own')
    expect(others.every((key) => key.startsWith('/waggle/'))).toBe(true)
  })

  it('skips, counts and removes what is damaged, and keeps the rest (N9a)', async () => {
    await start({ datastore })
    store.apply(recordKey('good'), plainRecord(1, NOW + 10))
    store.apply(recordKey('bad'), plainRecord(2, NOW + 10))
    await persistence?.close()
    persistence = undefined
    const bad = (await keys()).find((key) => key.includes('record'))
    const goodBytes = encodeRecord(plainRecord(1, NOW + 10))
    const [first = ''] = [bad]
    const isGood = Buffer.compare(await datastore.get(new Key(first)), goodBytes) === 0
    await datastore.put(new Key(first), Uint8Array.of(1, 2, 3))
    const again = await start({ datastore })

    expect(held('good', 'bad')).toEqual([!isGood, isGood])
    expect(again.stats()).toMatchObject({ restored: 1, damaged: 1, damagedFiles: undefined })
    expect(warnings).toEqual([
      expect.stringContaining('datastore: damaged: 1 records could not be read, 1 are kept')
    ])
    expect((await start({ datastore })).stats()).toMatchObject({ restored: 1, damaged: 0 })
  })

  it('rejects as the datastore does when it can not be read', async () => {
    const broken = new Error('the datastore is not open')
    datastore.query = () => {
      throw broken
    }

    expect(await rejection(start({ datastore }))).toBe(broken)
  })
})

describe('a data directory', () => {
  it('holds a database, a lock and the process id; after the end no process id', async () => {
    const dataDir = join(directory.path, 'deep', 'data')
    await start({ dataDir })
    expect((await readdir(dataDir)).sort()).toEqual(['lock', 'pid', 'records'])
    await persistence?.close()
    persistence = undefined
    expect((await readdir(dataDir)).sort()).toEqual(['lock', 'records'])
  })

  it('is for one node at a time, also in one process', async () => {
    const { path: dataDir } = directory
    await start({ dataDir })
    const logger = { forComponent: () => silentLog }
    const error = await rejection(openPersistence({ dataDir, store: new RecordStore(), logger }))

    expect(error).toBeInstanceOf(DataDirError)
    expect(error.message).toContain(`dataDir: ${dataDir} is in use by another node of this process`)
  })

  it('can be had again when its lock is damaged', async () => {
    const { path: dataDir } = directory
    await start({ dataDir })
    store.apply(recordKey('key'), plainRecord(1, NOW + 10))
    await persistence?.close()
    persistence = undefined
    await writeFile(join(dataDir, 'lock', 'CURRENT'), 'bees')
    await start({ dataDir })

    expect(held('key')).toEqual([true])
  })

  it.each([
    [
      'a file',
      async () => {
        const path = join(directory.path, 'file')
        await writeFile(path, '')
        return path
      }
    ],
    [
      'below a file',
      async () => {
        await writeFile(join(directory.path, 'file'), '')
        return join(directory.path, 'file', 'data')
      }
    ],
    ['where nobody can make one', async () => '/proc/waggle/data']
  ])('can not be %s', async (_, pathOf) => {
    const dataDir = await pathOf()
    const error = await rejection(start({ dataDir }))

    expect(error).toBeInstanceOf(DataDirError)
    expect(error.name).toBe('DataDirError')
    expect(error.message).toContain(`dataDir: can't use ${dataDir}: `)
    expect(error.message).toContain('Name a directory that this process may write to')
  })
  it('can not be one that is not ours to write to', async () => {
    const dataDir = directory.path
    await chmod(dataDir, 0o555)
    const error = await asOrdinaryUser(() => rejection(start({ dataDir })))

    expect(error).toBeInstanceOf(DataDirError)
    expect(error.message).toMatch(/can't lock .*: EACCES.* may write there/)
    await chmod(dataDir, 0o700)
  })
})
