import { cp, mkdir, open, readdir, rename, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { DataDirError } from '../../src/errors.ts'
import type { Change, Damage, Disk } from '../../src/persistence/disk.ts'
import { openLevelDisk } from '../../src/persistence/level-disk.ts'
import { rejection } from '../support/rejection.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts'

const RECORDS = 2400
const RECORD_BYTES = 400
const BATCH = 100

let directory: TemporaryDirectory
let folder: string
let disk: Disk | undefined

beforeEach(async () => {
  directory = await temporaryDirectory()
  folder = join(directory.path, 'records')
})

afterEach(async () => {
  await disk?.close()
  disk = undefined
  await directory[Symbol.asyncDispose]()
})

async function reopened(): Promise<Disk> {
  await disk?.close()
  disk = undefined
  disk = await openLevelDisk(folder)
  return disk
}

async function write(changes: Change[], records: number): Promise<void> {
  await disk?.write({ changes, records, isSynced: false })
}

interface Reading {
  readonly records: Map<string, Uint8Array>
  readonly damage: Damage | undefined
}

async function reading(from: Disk): Promise<Reading> {
  const records = new Map<string, Uint8Array>()
  const damage = await from.read((name, bytes) => records.set(name, bytes))
  return { records, damage }
}

/** Makes bytes that look random, and are the same for each number. */
function bytesOf(n: number): Uint8Array {
  let state = n + 1
  return Uint8Array.from({ length: RECORD_BYTES }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return state >>> 16
  })
}

function nameOf(n: number): string {
  // Not in the order of writing, so that tables overlap.
  return `/waggle/${String((n * 7919) % RECORDS).padStart(6, '0')}\xff\x00`
}

describe('openLevelDisk', () => {
  it('gives back what was written, any bytes of a name included', async () => {
    const fresh = await reopened()
    expect(await reading(fresh)).toEqual({ records: new Map(), damage: undefined })
    await write(
      [
        { name: '/waggle/\x00\xff', bytes: Uint8Array.of(1) },
        { name: '/waggle/', bytes: new Uint8Array() },
        { name: '/waggle/gone', bytes: Uint8Array.of(2) }
      ],
      3
    )
    await write([{ name: '/waggle/gone', bytes: undefined }], 2)

    const { records, damage } = await reading(await reopened())

    expect(Array.from(records, ([name, bytes]) => [name, [...bytes]])).toEqual([
      ['/waggle/', []],
      ['/waggle/\x00\xff', [1]]
    ])
    expect(damage).toBeUndefined()
  })

  it('keeps notes apart from records', async () => {
    const fresh = await reopened()
    await reading(fresh)
    await fresh.setNote('peers', 'some')
    await write([{ name: 'peers', bytes: Uint8Array.of(1) }], 1)
    const again = await reopened()

    expect(await again.note('peers')).toBe('some')
    expect(await again.note('nothing')).toBeUndefined()
    expect((await reading(again)).records.size).toBe(1)
  })

  it('leaves nothing beside the database when all is well', async () => {
    await reading(await reopened())
    await reading(await reopened())

    expect(await readdir(directory.path)).toEqual(['records'])
  })

  it('gives back the room of what is replaced', async () => {
    await reading(await reopened())
    const changes = Array.from({ length: 500 }, (_, n) => ({ name: nameOf(n), bytes: bytesOf(n) }))

    for (let round = 0; round < 100; round++) {
      await write(changes, changes.length)
    }

    expect(await sizeOf(folder)).toBeGreaterThan(3 * 500 * RECORD_BYTES)
    await disk?.compact()
    await reading(await reopened())
    expect(await sizeOf(folder)).toBeLessThan(3 * 500 * RECORD_BYTES)
  })

  it('says what is in the way of the database', async () => {
    await writeFile(folder, 'bees')
    const error = await rejection(openLevelDisk(folder))

    expect(error).toBeInstanceOf(DataDirError)
    expect(error.message).toContain(`dataDir: can't open the database ${folder}: `)
    expect(error.message).toContain('move the folder away')
  })
})

describe('openLevelDisk on a damaged database', () => {
  let sound: TemporaryDirectory

  beforeAll(async () => {
    sound = await temporaryDirectory()
    const path = join(sound.path, 'records')
    // Opening a database writes its log into a table.
    await fill(path, 0, (2 / 3) * RECORDS)
    await fill(path, (2 / 3) * RECORDS, RECORDS)
  })

  async function fill(path: string, from: number, to: number): Promise<void> {
    const original = await openLevelDisk(path)
    await original.read(() => {})

    for (let n = from; n < to; n += BATCH) {
      const changes = Array.from({ length: BATCH }, (_, i) => ({
        name: nameOf(n + i),
        bytes: bytesOf(n + i)
      }))
      await original.write({ changes, records: n + BATCH, isSynced: false })
    }

    await original.close()
  }

  afterAll(() => sound?.[Symbol.asyncDispose]())

  beforeEach(async () => {
    await cp(join(sound.path, 'records'), folder, { recursive: true })
  })

  /** Finds the only file of a kind. */
  async function file(kind: RegExp): Promise<string> {
    const found = (await readdir(folder)).find((name) => kind.test(name))
    expect(found).toBeDefined()
    return join(folder, found ?? '')
  }

  async function garble(path: string, from: number, bytes: number): Promise<void> {
    const { size } = await stat(path)
    const handle = await open(path, 'r+')
    await handle.write(
      new Uint8Array(bytes).fill(0xa5),
      0,
      bytes,
      Math.floor(from * (size - bytes))
    )
    await handle.close()
  }

  async function halve(path: string): Promise<void> {
    await truncate(path, Math.floor((await stat(path)).size / 2))
  }

  const TABLE = /\.ldb$/
  const LOG = /\.log$/
  const INDEX = /^MANIFEST/

  /**
   * Damages, and the records that must still be there: those that no undamaged file holds are lost.
   */
  const DAMAGES: [what: string, hurt: () => Promise<void>, atLeast: number][] = [
    ['whose CURRENT is gone', async () => rm(await file(/^CURRENT$/)), RECORDS],
    ['whose CURRENT is empty', async () => truncate(await file(/^CURRENT$/)), RECORDS],
    ['whose CURRENT is garbled', async () => garble(await file(/^CURRENT$/), 0, 12), RECORDS],
    ['whose index is gone', async () => rm(await file(INDEX)), RECORDS],
    ['whose index is empty', async () => truncate(await file(INDEX)), RECORDS],
    ['whose index is garbled', async () => garble(await file(INDEX), 0, 60), RECORDS],
    ['whose index ends in the middle', async () => halve(await file(INDEX)), RECORDS],
    ['with a flipped byte in a table', async () => garble(await file(TABLE), 0.5, 1), RECORDS - 12],
    ['with garbage in a table', async () => garble(await file(TABLE), 0.5, 5000), RECORDS - 50],
    [
      'with garbage at the start of a table',
      async () => garble(await file(TABLE), 0, 5000),
      RECORDS - 50
    ],
    [
      'with a flipped byte in the log',
      async () => garble(await file(LOG), 0.5, 1),
      RECORDS - BATCH
    ],
    ['with garbage in the log', async () => garble(await file(LOG), 0.5, 100), RECORDS - 2 * BATCH],
    [
      'with garbage at the end of a table',
      async () => garble(await file(TABLE), 1, 100),
      RECORDS / 3
    ],
    ['with half a table', async () => halve(await file(TABLE)), RECORDS / 3],
    ['with an empty table', async () => truncate(await file(TABLE)), RECORDS / 3],
    ['without one of its tables', async () => rm(await file(TABLE)), RECORDS / 3]
  ]

  it.each(DAMAGES)(
    'keeps all that can be read of one %s, and says what can not',
    async (_, hurt, atLeast) => {
      await hurt()
      const { records, damage } = await reading(await reopened())

      expect(records.size).toBeGreaterThanOrEqual(atLeast)
      expect(damage).toEqual({ records: RECORDS - records.size, files: `${folder}.damaged` })
      expectTrue(records)
      expect((await readdir(`${folder}.damaged`)).length).toBeGreaterThan(0)

      // From then on it is as good as any other.
      await write([{ name: '/waggle/new', bytes: Uint8Array.of(1) }], records.size + 1)
      const again = await reading(await reopened())
      expect(again.damage).toBeUndefined()
      expect(again.records.size).toBe(records.size + 1)
    }
  )

  it.each([
    ['gone', async () => rm(await file(LOG))],
    ['empty', async () => truncate(await file(LOG))],
    ['cut off', async () => halve(await file(LOG))]
  ])('takes a log that is %s for one that ends there, as after a power cut', async (_, hurt) => {
    await hurt()
    const { records, damage } = await reading(await reopened())

    expect(records.size).toBeGreaterThan(RECORDS / 2)
    expect(records.size).toBeLessThan(RECORDS)
    expect(damage).toBeUndefined()
    expectTrue(records)
  })

  it('keeps notes', async () => {
    await reading(await reopened())
    await disk?.setNote('peers', 'some')
    await disk?.close()
    await rm(await file(INDEX))

    expect((await reading(await reopened())).damage).toBeDefined()
    expect(await disk?.note('peers')).toBe('some')
  })

  it('goes on when it was ended while the new database took the place of the old', async () => {
    await rename(folder, `${folder}.rebuilt`)

    expect(await reading(await reopened())).toMatchObject({ damage: undefined })
    expect(await readdir(directory.path)).toEqual(['records'])
  })

  it('goes on when it was ended while the files as they were took the place of the opened ones', async () => {
    await rename(folder, `${folder}.before`)
    const { records, damage } = await reading(await reopened())

    expect(records.size).toBe(RECORDS)
    expect(damage).toBeUndefined()
  })

  it('starts anew when it was ended while it was building a new database', async () => {
    await mkdir(`${folder}.rebuilt`)
    await writeFile(join(`${folder}.rebuilt`, '000001.log'), 'half')
    await rm(await file(/^CURRENT$/))

    expect((await reading(await reopened())).records.size).toBe(RECORDS)
    expect((await readdir(directory.path)).sort()).toEqual(['records', 'records.damaged'])
  })

  /** Expects that each record is the one written under its name. */
  function expectTrue(records: ReadonlyMap<string, Uint8Array>): void {
    const untrue = Array.from({ length: RECORDS }, (_, n) => n).filter((n) => {
      const bytes = records.get(nameOf(n))
      return bytes !== undefined && Buffer.compare(bytes, bytesOf(n)) !== 0
    })

    expect(untrue).toEqual([])
  }
})

async function sizeOf(path: string): Promise<number> {
  const sizes = (await readdir(path)).map(async (name) => (await stat(join(path, name))).size)
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}
