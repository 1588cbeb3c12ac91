import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { type Datastore, Key } from 'interface-datastore'
import { assertOneOf, assertOptions, assertText } from '../option-checks.ts'
import { IndexedDBDatastore, openDatabase } from './indexeddb-datastore.ts'
import { browserGlobal, type Locks } from './indexeddb-types.ts'

/** Another tab or worker of the same site has the database open. */
export class StorageInUseError extends Error {
  static override readonly name = 'StorageInUseError'
  override readonly name = 'StorageInUseError'
}

/** Options of `openIndexedDB`. */
export interface IndexedDBOptions {
  /**
   * The behaviour when another tab has the database: `'reject'` with a StorageInUseError, or go on in `'memory'`
   * with an identity of this tab's own.
   *
   * @default 'reject'
   */
  whenInUse?: 'reject' | 'memory' | undefined
}

/** Records and an identity that outlive a page, for the options of `DHT.create`. */
export interface IndexedDBStorage extends AsyncDisposable {
  /** Undefined in a tab that works in memory. */
  readonly datastore: Datastore | undefined
  readonly privateKey: PrivateKey

  /** Releases the database for other tabs, as the end of the page does. Stop the DHT first. */
  close(): Promise<void>
}

const IDENTITY = new Key('/waggle/identity')

/**
 * Opens a database of the browser, which it creates with a new identity if it is missing. One tab or worker has it at a
 * time: two peers with one identity would take each other's messages.
 *
 * `const { datastore, privateKey } = await openIndexedDB('my-app')`
 *
 * @throws StorageInUseError when another tab has it
 * @throws TypeError where there is no IndexedDB or no lock, as in a page without https
 */
export async function openIndexedDB(
  name: string,
  options: IndexedDBOptions = {}
): Promise<IndexedDBStorage> {
  assertText(name, 'name')
  assertOptions('openIndexedDB()', options, {
    whenInUse: { assert: assertOneOf('reject', 'memory') }
  })
  const release = await takeLock(`waggle:${name}`)

  if (release === undefined) {
    return inMemory(name, options)
  }

  try {
    const database = await openDatabase(`waggle:${name}`)
    const datastore = new IndexedDBDatastore(database)
    const privateKey = await identityIn(datastore)
    return storageOf({ datastore, privateKey }, () => {
      database.close()
      release()
    })
  } catch (error) {
    release()
    throw error
  }
}

async function inMemory(name: string, { whenInUse }: IndexedDBOptions): Promise<IndexedDBStorage> {
  if (whenInUse !== 'memory') {
    throw new StorageInUseError(
      `another tab or worker has the database ${name}: close it there, share one peer through a SharedWorker, or set whenInUse: 'memory'`
    )
  }

  return storageOf({ datastore: undefined, privateKey: await generateKeyPair('Ed25519') }, () => {})
}

function storageOf(
  parts: Pick<IndexedDBStorage, 'datastore' | 'privateKey'>,
  end: () => void
): IndexedDBStorage {
  const close = async (): Promise<void> => end()
  return { ...parts, close, [Symbol.asyncDispose]: close }
}

/** Returns a function that releases the lock; undefined if another tab has it. */
async function takeLock(name: string): Promise<(() => void) | undefined> {
  const locks = Reflect.get(Object(browserGlobal('navigator')), 'locks') as Locks | undefined

  if (locks === undefined) {
    throw new TypeError(
      'openIndexedDB() needs the Web Locks API, which browsers give to pages on https and localhost only'
    )
  }

  const { promise, resolve, reject } = Promise.withResolvers<(() => void) | undefined>()
  locks
    .request(name, { ifAvailable: true }, (lock) => {
      if (lock === null) {
        resolve(undefined)
        return undefined
      }

      return new Promise<void>((release) => resolve(release))
    })
    .catch(reject)
  return promise
}

async function identityIn(datastore: Datastore): Promise<PrivateKey> {
  if (await datastore.has(IDENTITY)) {
    return privateKeyFromProtobuf(await datastore.get(IDENTITY))
  }

  const privateKey = await generateKeyPair('Ed25519')
  await datastore.put(IDENTITY, privateKeyToProtobuf(privateKey))
  return privateKey
}
