import { chmod, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { prepareDataDir } from '../../src/persistence/data-dir.ts'
import { identityAt } from '../../src/persistence/identity.ts'
import { assertTrusted, readSmallFile, writeSmallFile } from '../../src/persistence/small-file.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts'

const ANOTHER_USER = 65_534
const isUnix = process.platform !== 'win32'

describe.runIf(isUnix)('files that a node reads', () => {
  let directory: TemporaryDirectory
  let path: string

  beforeEach(async () => {
    directory = await temporaryDirectory()
    path = join(directory.path, 'file')
  })

  afterEach(() => directory[Symbol.asyncDispose]())

  it.each([
    ['a device that never ends', '/dev/zero'],
    ['a device that has nothing', '/dev/null'],
    ['a folder', '/']
  ])('are no %s (N13h)', async (_, other) => {
    await expect(readSmallFile(other)).rejects.toThrow(/not a regular file|EISDIR/)
    await expect(identityAt(other)).rejects.toThrow(`identityPath: can not read ${other}`)
  })

  it('are small (N13h)', async () => {
    await writeFile(path, new Uint8Array(64 * 1024))
    expect((await readSmallFile(path)).length).toBe(64 * 1024)
    await writeFile(path, new Uint8Array(64 * 1024 + 1))
    await expect(readSmallFile(path)).rejects.toThrow('it has 65537 bytes')
  })

  it('may be links where the user has named them, and not in a data directory (N13h)', async () => {
    await writeFile(path, 'content')
    const link = join(directory.path, 'link')
    await symlink(path, link)

    expect(new TextDecoder().decode(await readSmallFile(link))).toBe('content')
    await expect(readSmallFile(link, { isOwn: true })).rejects.toThrow('ELOOP')
    await expect(writeSmallFile(link, 'another')).rejects.toThrow('ELOOP')
    expect(await readFile(path, 'utf8')).toBe('content')
  })

  it('are written for their owner only', async () => {
    await writeSmallFile(path, 'long content')
    await writeSmallFile(path, 'short')
    expect(await readFile(path, 'utf8')).toBe('short')
    expect((await stat(path)).mode & 0o777).toBe(0o600)
  })

  it('belong to this user or to root, and nobody else may write to them (N13h)', () => {
    const uid = process.getuid?.() ?? 0
    expect(() => assertTrusted({ uid, mode: 0o100640 })).not.toThrow()
    expect(() => assertTrusted({ uid: 0, mode: 0o042770 })).not.toThrow()
    expect(() => assertTrusted({ uid: ANOTHER_USER, mode: 0o100600 })).toThrow(
      'it belongs to another user (65534)'
    )
    expect(() => assertTrusted({ uid, mode: 0o100602 })).toThrow('any user may write to it')
  })

  it('lie in a directory to which nobody else may write (N13h)', async () => {
    const dataDir = join(directory.path, 'data')
    await mkdir(dataDir)
    await chmod(dataDir, 0o777)
    await expect(prepareDataDir(dataDir)).rejects.toThrow('any user may write to it')
    await chmod(dataDir, 0o775)
    await expect(prepareDataDir(dataDir)).resolves.toBeUndefined()
  })
})
