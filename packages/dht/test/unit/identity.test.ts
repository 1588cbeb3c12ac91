import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { privateKeyToProtobuf } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { identityAt } from '../../src/persistence/identity.ts'

describe('identityAt', () => {
  let directory: string
  let path: string

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'waggle-'))
    path = join(directory, 'identity.key')
  })

  afterEach(async () => {
    await rm(directory, { recursive: true })
  })

  function bytesOf(key: PrivateKey): Uint8Array {
    return privateKeyToProtobuf(key)
  }

  it('makes a file with an Ed25519 key that only its owner reads', async () => {
    const key = await identityAt(path)

    expect(key.type).toBe('Ed25519')
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await readFile(path)).toEqual(Buffer.from(bytesOf(key)))
  })

  it('gives the same key whenever it is asked', async () => {
    const key = await identityAt(path)

    expect(bytesOf(await identityAt(path))).toEqual(bytesOf(key))
  })

  it('leaves nothing but the one file', async () => {
    await identityAt(path)
    await identityAt(path)

    expect(await readdir(directory)).toEqual(['identity.key'])
  })

  it('gives all processes that make the file at once the same key', async () => {
    const keys = await Promise.all(Array.from({ length: 8 }, () => identityAt(path)))
    const different = new Set(keys.map((key) => Buffer.from(bytesOf(key)).toString('hex')))

    expect(different.size).toBe(1)
    expect(await readFile(path, 'hex')).toBe([...different][0])
    expect(await readdir(directory)).toEqual(['identity.key'])
  })

  it.each([
    ['garbage', 'these are no bees'],
    ['nothing', '']
  ])('names a file that holds %s, and leaves it alone', async (_, content) => {
    await writeFile(path, content)

    await expect(identityAt(path)).rejects.toThrow(`identityPath: ${path} does not hold a libp2p`)
    expect(await readFile(path, 'utf8')).toBe(content)
  })

  it('names a file that it can not create', async () => {
    const missing = join(directory, 'missing', 'identity.key')

    await expect(identityAt(missing)).rejects.toThrow(`identityPath: can not create ${missing}`)
    expect(await readdir(directory)).toEqual([])
  })

  it('names a path that it can not read', async () => {
    await mkdir(path)

    await expect(identityAt(path)).rejects.toThrow(`identityPath: can not read ${path}`)
  })
})
