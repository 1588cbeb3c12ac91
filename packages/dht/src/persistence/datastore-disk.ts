import { type Datastore, Key, type Pair } from 'interface-datastore'
import { fromString } from 'uint8arrays/from-string'
import { toString as stringOf } from 'uint8arrays/to-string'
import { DataDirError } from '../errors.ts'
import { inTime } from '../timing/in-time.ts'
import { datastoreKeyOf, pairOf, RECORD_PREFIXES, recordIn } from './datastore-pairs.ts'
import type { Batch, Damage, Disk } from './disk.ts'

const NOTES = '/waggle/note/'

/** Milliseconds that a datastore may take for one step while a node starts. */
const MAX_STEP_MS = 30_000

/**
 * Uses a datastore of the caller as a disk, which it neither opens nor closes. The datastore determines the
 * durability of a committed batch, and detects damage.
 */
export function datastoreDisk(datastore: Datastore): Disk {
  return new DatastoreDisk(datastore)
}

class DatastoreDisk implements Disk {
  readonly #datastore: Datastore

  /** Keys of earlier versions for records with long names, which move when they change. */
  readonly #formerKeys = new Map<string, Key>()

  constructor(datastore: Datastore) {
    this.#datastore = datastore
  }

  async read(take: (name: string, bytes: Uint8Array) => void): Promise<Damage | undefined> {
    const unreadable: Key[] = []

    for await (const pair of this.#pairs()) {
      const record = recordIn(pair)

      if (record === undefined) {
        unreadable.push(pair.key)
      } else {
        this.#noteKey(record.name, pair.key)
        take(record.name, record.bytes)
      }
    }

    for (const key of unreadable) {
      await answerOf(this.#datastore.delete(key))
    }

    return unreadable.length === 0 ? undefined : { records: unreadable.length }
  }

  async write({ changes }: Batch): Promise<void> {
    const batch = this.#datastore.batch()

    for (const { name, bytes } of changes) {
      const former = this.#formerKeys.get(name)

      if (bytes === undefined) {
        batch.delete(datastoreKeyOf(name))
      } else {
        const { key, value } = pairOf(name, bytes)
        batch.put(key, value)
      }

      if (former !== undefined) {
        batch.delete(former)
      }
    }

    await batch.commit()

    for (const { name } of changes) {
      this.#formerKeys.delete(name)
    }
  }

  async note(name: string): Promise<string | undefined> {
    const key = new Key(`${NOTES}${name}`)
    const isThere = await answerOf(this.#datastore.has(key))
    return isThere ? stringOf(await answerOf(this.#datastore.get(key))) : undefined
  }

  async setNote(name: string, text: string): Promise<void> {
    await answerOf(this.#datastore.put(new Key(`${NOTES}${name}`), fromString(text)))
  }

  async compact(): Promise<void> {}

  async close(): Promise<void> {}

  async *#pairs(): AsyncGenerator<Pair> {
    for (const prefix of RECORD_PREFIXES) {
      yield* answersOf(this.#datastore.query({ prefix }))
    }
  }

  #noteKey(name: string, key: Key): void {
    if (key.toString() !== datastoreKeyOf(name).toString()) {
      this.#formerKeys.set(name, key)
    }
  }
}

/** Waits for a datastore, which may hang. @throws DataDirError when it does */
async function answerOf<T>(step: T | PromiseLike<T>): Promise<T> {
  return inTime(Promise.resolve(step), MAX_STEP_MS).catch((error) => {
    throw error.name === 'TimeoutError'
      ? new DataDirError(`datastore: it has not answered for ${MAX_STEP_MS} ms`, { cause: error })
      : error
  })
}

async function* answersOf<T>(items: AsyncIterable<T> | Iterable<T>): AsyncGenerator<T> {
  const iterator =
    Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]()

  for (;;) {
    const next = await answerOf(iterator.next())

    if (next.done === true) {
      return
    }

    yield next.value
  }
}
