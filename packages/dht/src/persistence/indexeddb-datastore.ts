import { NotFoundError } from '@libp2p/interface'
import {
  type Batch,
  type Datastore,
  Key,
  type KeyQuery,
  type Pair,
  type Query
} from 'interface-datastore'
import {
  browserGlobal,
  type Database,
  type IndexedDB,
  type KeyRange,
  type ObjectStore,
  type Request
} from './indexeddb-types.ts'

const VERSION = 1
const STORE = 'pairs'

/** Pairs that are read at once. */
const PAGE_SIZE = 256

/** Sorts after every character of a key. */
const LAST = '\uffff'

type Source<T> = AsyncIterable<T> | Iterable<T>

/** Opens a database, which it creates if it is missing. */
export async function openDatabase(name: string): Promise<Database> {
  const request = browserGlobal<IndexedDB>('indexedDB')?.open(name, VERSION)

  if (request === undefined) {
    throw new TypeError('openIndexedDB() needs IndexedDB: in Node, use the option dataDir')
  }

  request.addEventListener('upgradeneeded', () => request.result.createObjectStore(STORE))
  const database = await resultOf(request)
  // Another tab deletes the database, or runs a newer version of this code.
  database.addEventListener('versionchange', () => database.close())
  return database
}

/**
 * A datastore in IndexedDB. A batch is one transaction, and each write resolves once its transaction is committed; one
 * that does not fit into the quota rejects.
 */
export class IndexedDBDatastore implements Datastore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async put(key: Key, value: Uint8Array): Promise<Key> {
    await this.#write((store) => store.put(value, key.toString()))
    return key
  }

  async get(key: Key): Promise<Uint8Array> {
    const value = await resultOf(this.#reader().get(key.toString()))

    if (value === undefined) {
      throw new NotFoundError(`nothing is stored under ${key}`)
    }

    return value
  }

  async has(key: Key): Promise<boolean> {
    return (await resultOf(this.#reader().getKey(key.toString()))) !== undefined
  }

  async delete(key: Key): Promise<void> {
    await this.#write((store) => store.delete(key.toString()))
  }

  batch(): Batch {
    const changes: ((store: ObjectStore) => unknown)[] = []
    return {
      put: (key, value) => changes.push((store) => store.put(value, key.toString())),
      delete: (key) => changes.push((store) => store.delete(key.toString())),
      commit: () =>
        this.#write((store) => {
          for (const change of changes.splice(0)) {
            change(store)
          }
        })
    }
  }

  async *putMany(source: Source<Pair>): AsyncGenerator<Key> {
    for await (const { key, value } of source) {
      yield await this.put(key, value)
    }
  }

  async *getMany(source: Source<Key>): AsyncGenerator<Pair> {
    for await (const key of source) {
      yield { key, value: await this.get(key) }
    }
  }

  async *deleteMany(source: Source<Key>): AsyncGenerator<Key> {
    for await (const key of source) {
      await this.delete(key)
      yield key
    }
  }

  async *query({ prefix, ...rest }: Query): AsyncGenerator<Pair> {
    yield* limited(this.#pairs(prefix), rest)
  }

  async *queryKeys({ prefix, ...rest }: KeyQuery): AsyncGenerator<Key> {
    const keys = async function* (pairs: AsyncIterable<Pair>): AsyncGenerator<Key> {
      for await (const { key } of pairs) {
        yield key
      }
    }
    yield* limited(keys(this.#pairs(prefix)), rest)
  }

  /** Reads page by page: a transaction ends while its caller does something else. */
  async *#pairs(prefix = ''): AsyncGenerator<Pair> {
    const ranges = browserGlobal<KeyRange>('IDBKeyRange')

    for (let after: string | undefined; ; ) {
      const range = ranges?.bound(after ?? prefix, `${prefix}${LAST}`, after !== undefined)
      const store = this.#reader()
      const [keys, values] = await Promise.all([
        resultOf(store.getAllKeys(range, PAGE_SIZE)),
        resultOf(store.getAll(range, PAGE_SIZE))
      ])

      for (const [i, key] of keys.entries()) {
        yield { key: new Key(key), value: values[i] ?? new Uint8Array(0) }
      }

      after = keys.at(-1)

      if (keys.length < PAGE_SIZE) {
        return
      }
    }
  }

  #reader(): ObjectStore {
    return this.#database.transaction(STORE, 'readonly').objectStore(STORE)
  }

  async #write(change: (store: ObjectStore) => unknown): Promise<void> {
    const transaction = this.#database.transaction(STORE, 'readwrite')
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    transaction.addEventListener('complete', () => resolve())
    transaction.addEventListener('abort', () =>
      reject(transaction.error ?? new Error('the transaction was aborted'))
    )
    change(transaction.objectStore(STORE))
    await promise
  }
}

function resultOf<T>(request: Request<T>): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  request.addEventListener('success', () => resolve(request.result))
  request.addEventListener('error', () => reject(request.error))
  return promise
}

interface Selection<T> {
  readonly filters?: readonly ((item: T) => boolean)[]
  readonly orders?: readonly ((a: T, b: T) => -1 | 0 | 1)[]
  readonly offset?: number
  readonly limit?: number
}

async function* limited<T>(
  items: AsyncIterable<T>,
  { filters = [], orders = [], offset = 0, limit = Number.POSITIVE_INFINITY }: Selection<T>
): AsyncGenerator<T> {
  let position = 0

  for await (const item of orders.length === 0 ? items : ordered(items, orders)) {
    if (!filters.every((isWanted) => isWanted(item))) {
      continue
    }

    if (position >= offset + limit) {
      return
    }

    if (position >= offset) {
      yield item
    }

    position++
  }
}

async function* ordered<T>(
  items: AsyncIterable<T>,
  orders: readonly ((a: T, b: T) => number)[]
): AsyncGenerator<T> {
  const all: T[] = []

  for await (const item of items) {
    all.push(item)
  }

  yield* orders.reduce((sorted, order) => sorted.toSorted(order), all)
}
