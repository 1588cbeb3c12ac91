import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import type { SmallFileOptions } from '../persistence/small-file.ts'

/**
 * The private key in a file, which is made with a fresh Ed25519 key, for its owner's eyes only, if
 * it is missing. The format is libp2p's protobuf, as Hivemind's identity files have it.
 *
 * @throws Error naming the file when it can be neither read nor made, or holds something else
 */
export async function identityAt(
  path: string,
  options: SmallFileOptions = {}
): Promise<PrivateKey> {
  return (await existing(path, options)) ?? made(path, options)
}

/** Undefined if there is no such file. */
async function existing(path: string, options: SmallFileOptions): Promise<PrivateKey | undefined> {
  const { readSmallFile } = await import('../persistence/small-file.ts')
  let bytes: Uint8Array

  try {
    bytes = await readSmallFile(path, options)
  } catch (cause) {
    if (isCode(cause, 'ENOENT')) {
      return undefined
    }

    throw new Error(`identityPath: can not read ${path}: ${messageOf(cause)}`, { cause })
  }

  return keyIn(path, bytes)
}

/** Whoever makes the file first decides: two processes that start at once get the same identity. */
async function made(path: string, options: SmallFileOptions): Promise<PrivateKey> {
  const { link, rm, writeFile } = await import('node:fs/promises')
  const { readSmallFile } = await import('../persistence/small-file.ts')
  const key = await generateKeyPair('Ed25519')
  const draft = `${path}.${crypto.randomUUID()}`

  try {
    await writeFile(draft, privateKeyToProtobuf(key), { mode: 0o600, flag: 'wx' })
    await link(draft, path)
    return key
  } catch (error) {
    if (isCode(error, 'EEXIST')) {
      return keyIn(path, await readSmallFile(path, options))
    }

    throw new Error(`identityPath: can not make ${path}: ${messageOf(error)}`, { cause: error })
  } finally {
    await rm(draft, { force: true })
  }
}

function keyIn(path: string, bytes: Uint8Array): PrivateKey {
  try {
    return privateKeyFromProtobuf(bytes)
  } catch (cause) {
    throw new Error(
      `identityPath: ${path} does not hold a libp2p private key: name another file, or delete it to have a new identity made`,
      { cause }
    )
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
