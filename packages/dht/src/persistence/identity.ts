import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { isCode, toError } from '../errors.ts'
import type { SmallFileOptions } from './small-file.ts'

/**
 * Reads the private key in a file. If the file is missing, creates it with a new Ed25519 key,
 * readable by its owner only. The format is libp2p's protobuf, as in Hivemind's identity files.
 *
 * @throws Error naming the file when it can be neither read nor created, or has other content
 */
export async function identityAt(
  path: string,
  options: SmallFileOptions = {}
): Promise<PrivateKey> {
  return (await readKey(path, options)) ?? createKey(path, options)
}

/** Reads the key. Undefined if there is no such file. */
async function readKey(path: string, options: SmallFileOptions): Promise<PrivateKey | undefined> {
  const { readSmallFile } = await import('./small-file.ts')
  let bytes: Uint8Array

  try {
    bytes = await readSmallFile(path, options)
  } catch (cause) {
    if (isCode(cause, 'ENOENT')) {
      return undefined
    }

    throw new Error(`identityPath: can not read ${path}: ${toError(cause).message}`, { cause })
  }

  return parseKey(path, bytes)
}

/** Creates the key. If two processes start at once, both get the key that was created first. */
async function createKey(path: string, options: SmallFileOptions): Promise<PrivateKey> {
  const { link, rm, writeFile } = await import('node:fs/promises')
  const { readSmallFile } = await import('./small-file.ts')
  const key = await generateKeyPair('Ed25519')
  const draft = `${path}.${crypto.randomUUID()}`

  try {
    await writeFile(draft, privateKeyToProtobuf(key), { mode: 0o600, flag: 'wx' })
    await link(draft, path)
    return key
  } catch (error) {
    if (isCode(error, 'EEXIST')) {
      return parseKey(path, await readSmallFile(path, options))
    }

    throw new Error(`identityPath: can not create ${path}: ${toError(error).message}`, {
      cause: error
    })
  } finally {
    await rm(draft, { force: true })
  }
}

function parseKey(path: string, bytes: Uint8Array): PrivateKey {
  try {
    return privateKeyFromProtobuf(bytes)
  } catch (cause) {
    throw new Error(
      `identityPath: ${path} does not hold a libp2p private key: name another file, or delete it to create a new identity`,
      { cause }
    )
  }
}
