import { execFile } from 'node:child_process'
import { lchown, mkdir, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DataDirError } from '../../src/errors.ts'
import {
  lockDataDir,
  openDataDir,
  prepareDataDir,
  recordsIn
} from '../../src/persistence/data-dir.ts'
import { isFull } from '../../src/persistence/level-database.ts'
import { rejection } from '../support/rejection.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts'

const NOBODY = 65_534

describe('lockDataDir', () => {
  let directory: TemporaryDirectory
  let pid: string

  beforeEach(async () => {
    directory = await temporaryDirectory()
    pid = join(directory.path, 'pid')
  })

  afterEach(() => directory[Symbol.asyncDispose]())

  async function expectFree(): Promise<void> {
    await rm(pid, { recursive: true })
    await (await lockDataDir(directory.path)).release()
  }

  it('rejects where the process id can not be written, and lets go', async () => {
    await mkdir(pid)
    const error = await rejection(lockDataDir(directory.path))

    expect(error).toBeInstanceOf(DataDirError)
    expect(error.message).toContain(`dataDir: can't lock ${directory.path}: EISDIR`)
    await expectFree()
  })

  it('lets go where the process id can not be removed', async () => {
    const lock = await lockDataDir(directory.path)
    await rm(pid)
    await mkdir(pid)
    await rejection(lock.release())

    await expectFree()
  })
})

describe.runIf(process.platform === 'linux')('openDataDir', () => {
  it.each([
    ['a pipe', (path: string) => promisify(execFile)('mkfifo', [path])],
    ['a link to a device', (path: string) => symlink('/dev/zero', path)],
    ['a link that leads nowhere', (path: string) => symlink('/nowhere/at all', path)]
  ])('refuses a database with %s among its files, and waits for none (N13h)', async (_, make) => {
    await using directory = await temporaryDirectory()
    const records = recordsIn(directory.path)
    await (await openDataDir(directory.path)).close()
    await rm(join(records, 'CURRENT'))
    await make(join(records, 'CURRENT'))
    const error = await rejection(openDataDir(directory.path))

    expect(error).toBeInstanceOf(DataDirError)
    expect(error.message).toContain('CURRENT in it is not a regular file')
    await rm(join(records, 'CURRENT'))
    await (await openDataDir(directory.path)).close()
  })

  it('replaces a lock with a pipe among its files (N13h)', async () => {
    await using directory = await temporaryDirectory()
    await (await openDataDir(directory.path)).close()
    const current = join(directory.path, 'lock', 'CURRENT')
    await rm(current)
    await promisify(execFile)('mkfifo', [current])
    await (await openDataDir(directory.path)).close()
  })
})

describe('prepareDataDir', () => {
  it.runIf(process.getuid?.() === 0)(
    "refuses a link of somebody else, which may lead to any directory of this user's (N13h)",
    async () => {
      await using directory = await temporaryDirectory()
      const link = join(directory.path, 'link')
      await mkdir(join(directory.path, 'precious'))
      await symlink(join(directory.path, 'precious'), link)
      await prepareDataDir(link)
      await lchown(link, NOBODY, NOBODY)
      await expect(prepareDataDir(link)).rejects.toThrow('belongs to another user')
      await expect(prepareDataDir(join(link, 'records'))).rejects.toThrow('belongs to another user')
    }
  )
})

describe('isFull', () => {
  it.each([
    ['what LevelDB says', new Error('IO error: 000013.ldb: No space left on device')],
    ['what classic-level wraps', new Error('failed', { cause: new Error('Disk quota exceeded') })],
    ['what Node says', Object.assign(new Error('ENOSPC: no space'), { code: 'ENOSPC' })]
  ])('knows %s: then nothing is to be moved away (N13h)', (_, error) => {
    expect(isFull(error)).toBe(true)
  })

  it('is not what else may be wrong', () => {
    expect(isFull(new Error('Corruption: bad block'))).toBe(false)
  })
})
